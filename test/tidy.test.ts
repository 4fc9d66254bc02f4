import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './harness/project.ts'
import { readFaultTables, renderErrors } from './tidy/fault-tables.ts'
import { filesWhere, foldersIn, readJson } from './tidy/files.ts'
import {
  environmentReaders,
  exceptions,
  mayImport,
  topFolders,
  underConstruction,
} from './tidy/map.ts'

/** The packages that are built: those that the project's tsconfig.json names. */
const packages = (readJson('tsconfig.json').references as { path: string }[])
  .map(({ path }) => /^packages\/([\w-]+)$/.exec(path)?.[1])
  .filter((name) => name !== undefined)

/** Those that have all that a package has. */
const finished = packages.filter((name) => !underConstruction.includes(name))

const isCode = (path: string) => /\.(ts|tsx|js|mjs)$/.test(path)
const isProductCode = (path: string) => /^packages\/[\w-]+\/src\/.*\.tsx?$/.test(path)

/** Fails with one line per finding. */
function none(findings: readonly string[], what: string): void {
  assert.deepEqual(findings, [], `${what}:\n${findings.join('\n')}`)
}

test('the folders are those of the map', () => {
  none(
    foldersIn('.').filter((name) => !topFolders.includes(name)),
    'folders at the top that the map does not have',
  )
  none(
    foldersIn('packages').filter((name) => !(name in mayImport)),
    'packages that the map does not have',
  )
  none(
    packages.filter((name) => !existsSync(join(root, 'packages', name))),
    'packages that tsconfig.json names in vain',
  )
})

test('a package sees only what the map lets it see, and names it in its package.json', () => {
  const findings = packages.flatMap((name) => {
    const { dependencies = {} } = readJson(`packages/${name}/package.json`) as {
      dependencies?: Record<string, string>
    }
    const named = Object.keys(dependencies).flatMap((dependency) =>
      dependency.startsWith('@drover/') ? [dependency.slice('@drover/'.length)] : [],
    )
    const used = new Set(
      filesWhere((path) => path.startsWith(`packages/${name}/src/`) && isCode(path)).flatMap(
        ({ text }) => [...text.matchAll(/from '@drover\/([\w-]+)/g)].map(([, other = '']) => other),
      ),
    )
    return [
      ...[...named, ...used]
        .filter((other) => !mayImport[name]?.includes(other))
        .map((other) => `${name} must not see ${other}`),
      ...[...used]
        .filter((other) => !named.includes(other))
        .map((other) => `${name} uses ${other} unnamed`),
    ]
  })

  none(findings, 'imports against the map')
})

test('packages see each other through their one entry only', () => {
  const findings = filesWhere(
    (path) => /^(packages|test|bench)\//.test(path) && isCode(path),
  ).flatMap(({ path, text }) => {
    const depth = path.split('/').length - 1
    return [...text.matchAll(/from '([^']+)'/g)].flatMap(([, from = '']) => {
      const deep = /^@drover\/[\w-]+\//.test(from)
      const ups = from.split('/').filter((part) => part === '..').length
      const outside = path.startsWith('packages/') && ups > depth - 2
      return deep || outside ? [`${path}: ${from}`] : []
    })
  })

  none(findings, 'imports past an entry')
})

test('every package has the same shape', () => {
  const findings = finished.flatMap((name) =>
    ['README.md', 'package.json', 'tsconfig.json', 'src/index.ts', 'test']
      .map((file) => `packages/${name}/${file}`)
      .filter((file) => !existsSync(join(root, file))),
  )

  none(findings, 'missing')
})

test('every package has a README of 20 to 60 lines that says where to begin reading', () => {
  none(finished.flatMap(readmeProblems), 'READMEs')
  none(
    underConstruction.filter((name) => readmeProblems(name).length === 0),
    'finished by their README, and yet under construction by test/tidy/map.ts',
  )
})

function readmeProblems(name: string): string[] {
  const path = `packages/${name}/README.md`
  const file = join(root, path)
  if (!existsSync(file)) return [`${path} is missing`]
  const text = readFileSync(file, 'utf8')
  const lines = text.trimEnd().split('\n').length
  return [
    ...(lines < 20 || lines > 60 ? [`${path} has ${lines} lines`] : []),
    ...(/read the files in this order/i.test(text) ? [] : [`${path} does not say the order`]),
  ]
}

test('an index has exports by name and nothing else', () => {
  const findings = filesWhere((path) => /^packages\/[\w-]+\/src\/index\.ts$/.test(path)).flatMap(
    ({ path, text }) => {
      const rest = text
        .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .replaceAll(/export (type )?\{[^}]*\}( from '[^']+')?/g, '')
      return rest.trim() === '' ? [] : [`${path}: ${rest.trim().split('\n')[0]}`]
    },
  )

  none(findings, 'more than exports')
})

test('every Markdown file has exactly one title, on its first line', () => {
  const findings = filesWhere((path) => path.endsWith('.md')).flatMap(({ path, text }) => {
    const titles = text.replaceAll(/^```[\s\S]*?^```/gm, '').match(/^# .+$/gm) ?? []
    return titles.length === 1 && text.startsWith('# ') ? [] : [`${path}: ${titles.length} titles`]
  })

  none(findings, 'titles')
})

test('every decision is in the list of decisions, by its number and title', () => {
  const folder = 'docs/decisions/'
  const list = readFileSync(join(root, folder, 'README.md'), 'utf8').match(/^- .+$/gm)
  const titles = filesWhere((path) => /^docs\/decisions\/\d{4}-[\w-]+\.md$/.test(path))
    .toSorted((one, other) => one.path.localeCompare(other.path))
    .map(({ path, text }) => {
      const [, number, title] = /^# (\d{4}) (.+)$/m.exec(text) ?? []
      return `- [${number}](${path.slice(folder.length)}) ${title}`
    })

  assert.deepEqual(list, titles)
})

test('docs/errors.md says exactly what the tables of faults say', () => {
  const tables = readFaultTables(finished)
  const wanted = renderErrors(tables)
  const file = join(root, 'docs', 'errors.md')
  if (process.env.WRITE_DOCS) writeFileSync(file, wanted)

  const written = readFileSync(file, 'utf8')

  const codes = (text: string) =>
    [...text.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code = '']) => code)
  none(
    codes(wanted).filter((code) => !codes(written).includes(code)),
    'codes that docs/errors.md lacks; write it anew by WRITE_DOCS=1 npm test -- tidy',
  )
  none(
    codes(written).filter((code) => !codes(wanted).includes(code)),
    'codes that no table has; write it anew by WRITE_DOCS=1 npm test -- tidy',
  )
  assert.equal(written, wanted, 'write it anew by WRITE_DOCS=1 npm test -- tidy')
})

test('every row of a table of faults says what it means', () => {
  const tables = readFaultTables(packages)
  const findings = filesWhere((path) => /^packages\/\w+\/src\/errors\.ts$/.test(path)).flatMap(
    ({ path, text }) => {
      const table = tables.get(path.split('/')[1] ?? '')
      const rows = text.match(/^ {2}[A-Z_]+: \{/gm)?.length ?? 0
      const read = table?.length ?? rows
      return rows === read ? [] : [`${path}: ${rows} rows, ${read} with a meaning`]
    },
  )

  none(findings, 'rows')
})

test('no file is over 400 lines', () => {
  const findings = filesWhere(isCode).flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length
    return lines > 400 ? [`${path}: ${lines}`] : []
  })

  none(findings, 'long files')
})

test('nobody but the kernel reads the clock or chance', () => {
  const reads = /\bDate\.now\(|\bMath\.random\b|\bperformance\.now\(|\bnew Date\(\)/
  const isHeld = (path: string) =>
    isProductCode(path) &&
    !(path in exceptions) &&
    !underConstruction.includes(path.split('/')[1] ?? '')
  const findings = filesWhere(isHeld).flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => (reads.test(line) ? [`${path}:${index + 1}`] : [])),
  )

  none(findings, 'reads past Clock and Random')
})

test('nobody but the command reads the environment, and those who do are known', () => {
  const readers = filesWhere(
    (path) => isProductCode(path) && !path.startsWith('packages/drover/'),
  ).flatMap(({ path, text }) => (/\bprocess\.env\b/.test(text) ? [path] : []))

  assert.deepEqual(readers.toSorted(), Object.keys(environmentReaders).toSorted())
})

test('whatever is left to do has a number', () => {
  const findings = filesWhere((path) => isCode(path) && !path.startsWith('test/tidy')).flatMap(
    ({ path, text }) =>
      text.split('\n').flatMap((line, index) => {
        const bare = /\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))/.test(line)
        return bare ? [`${path}:${index + 1}: ${line.trim()}`] : []
      }),
  )

  none(findings, 'left to do without a number')
})

test('the project speaks of itself, not of how or where it was made', () => {
  const made = [
    ['/work', 'main'],
    ['/work', 'shared'],
    ['/work', '.library'],
    ['/tmp', 'brief'],
  ]
  const paths = made.map((parts) => parts.join('/'))
  const words = [
    ['issues', 'show'],
    ['issues', 'resolved'],
    ['language', 'model'],
  ]
  const phrases = words.map((parts) => parts.join(' '))
  const findings = filesWhere((path) =>
    /\.(ts|tsx|js|mjs|md|yaml|yml|json|sh)$/.test(path),
  ).flatMap(({ path, text }) =>
    [...paths, ...phrases].filter((word) => text.includes(word)).map((word) => `${path}: ${word}`),
  )

  none(findings, 'traces')
})
