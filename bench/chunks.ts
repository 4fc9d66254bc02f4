import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Claim } from './lab/claim.ts'
import type { Lab } from './lab/lab.ts'
import { runProgram } from './lab/processes.ts'
import { tableLines } from './lab/table.ts'

const rounds = 5
const fileBytes = 2 ** 30
const command = fileURLToPath(new URL('../../packages/drover/bin/drover.js', import.meta.url))

/** One way to cut: what split is told, what ours is told, and the most that ours may take of its time. */
interface Pair {
  readonly title: string
  /** Instead of split. */
  readonly program?: string
  readonly split: readonly string[]
  /** What the program is told after the file, instead of a prefix. */
  readonly after?: readonly string[]
  readonly ours: readonly string[]
  readonly goal?: number
}

const pairs: readonly Pair[] = [
  {
    title: 'lines 100000, files',
    split: ['-l', '100000'],
    ours: ['--by', 'lines 100000', '--no-sums'],
    goal: 1.2,
  },
  {
    title: 'lines 100000, files and sums',
    split: ['-l', '100000'],
    ours: ['--by', 'lines 100000'],
    goal: 1.2,
  },
  {
    title: 'bytes 1MiB, files',
    split: ['-a', '4', '-b', '1M'],
    ours: ['--by', 'bytes 1MiB', '--no-sums'],
    goal: 1.2,
  },
  {
    title: 'bytes 1MiB, files and sums',
    split: ['-a', '4', '-b', '1M'],
    ours: ['--by', 'bytes 1MiB'],
    goal: 1.2,
  },
]

const smallBytes = 1 * 2 ** 20
const smallPair: Pair = {
  title: 'lines 1 of 1 MiB, pack against a file each',
  split: ['-a', '6', '-l', '1'],
  ours: ['--by', 'lines 1', '--as', 'pack'],
  goal: 0.2,
}

const patternBytes = 64 * 2 ** 20
const patternPair: Pair = {
  title: 'at a pattern, 64 MiB, files and sums against csplit',
  program: 'csplit',
  split: ['-s', '-z', '-n', '6'],
  after: ['/^9[0-9]*1 /', '{*}'],
  ours: ['--by', 'regex /^9[0-9]*1 /m', '--keep', 'start'],
}

/** Wall time of cutting a file on this machine, against GNU split. */
export const chunks: Claim = {
  name: 'chunks',
  about: 'time to cut a file by lines and bytes, against GNU split and csplit',
  async run(lab) {
    const large = makeLines(lab, 'large', fileBytes)
    const small = makeLines(lab, 'small', smallBytes)
    const rows: string[][] = []
    for (const pair of pairs) rows.push(await compare(lab, pair, large))
    rows.push(await compare(lab, smallPair, small))
    rows.push(await compare(lab, patternPair, makeNumbers(lab)))

    lab.print(`a file of ${fileBytes / 2 ** 20} MiB in the page cache, lines of 70 bytes;`)
    lab.print(`the best of ${rounds} runs in turns, with the program's start; wall / CPU time`)
    lab.print()
    const header = ['cut', 'peer', 'drover', 'wall', 'CPU', 'goal, wall']
    for (const line of tableLines([header, ...rows])) lab.print(line)
    lab.print()
    lab.print('split works out no sums: the rows without sums do the same work as split does.')
  },
}

/** Numbered lines, of which a few hundred meet the pattern. */
function makeNumbers(lab: Lab): string {
  const path = join(lab.directory, 'numbers')
  const rest = 'chunk by chunk '.repeat(4)
  const lines = Array.from({ length: patternBytes / 70 }, (_, line) => `${line} ${rest}\n`)
  writeFileSync(path, lines.join(''))
  return path
}

function makeLines(lab: Lab, name: string, bytes: number): string {
  const path = join(lab.directory, name)
  const line = `${'chunk by chunk '.repeat(4)}123456789`
  writeFileSync(path, Buffer.alloc(bytes, `${line}\n`))
  return path
}

/** What a run took, in ms. */
interface Took {
  readonly wallMs: number
  readonly cpuMs: number
}

async function compare(lab: Lab, pair: Pair, file: string): Promise<string[]> {
  const { title, program = 'split', split, after, ours, goal } = pair
  const [theirs, own]: [Took[], Took[]] = [[], []]
  for (let round = 1; round <= rounds; round++) {
    lab.progress(`${title}: round ${round} of ${rounds}`)
    const peer = (target: string) => {
      mkdirSync(target)
      const prefix = join(target, 'x')
      return after
        ? [program, ...split, '-f', prefix, file, ...after]
        : [program, ...split, file, prefix]
    }
    theirs.push(await time(lab, peer))
    const words = ['chunk', file, ...ours, '-o']
    own.push(await time(lab, (target) => [process.execPath, command, ...words, target]))
  }
  const [best, bestOwn] = [least(theirs), least(own)]
  const shown = ({ wallMs, cpuMs }: Took) =>
    `${(wallMs / 1_000).toFixed(2)} / ${(cpuMs / 1_000).toFixed(2)} s`
  const ratio = (key: keyof Took) => (bestOwn[key] / best[key]).toFixed(2)
  return [
    title,
    shown(best),
    shown(bestOwn),
    ratio('wallMs'),
    ratio('cpuMs'),
    goal ? `≤ ${goal}` : '',
  ]
}

function least(runs: readonly Took[]): Took {
  return {
    wallMs: Math.min(...runs.map(({ wallMs }) => wallMs)),
    cpuMs: Math.min(...runs.map(({ cpuMs }) => cpuMs)),
  }
}

/** Runs a program that writes to a target of its own; returns how long it took. */
async function time(lab: Lab, wordsFor: (target: string) => readonly string[]): Promise<Took> {
  const target = join(lab.directory, 'target')
  const [program = '', ...args] = wordsFor(target)
  const [startMs, before] = [performance.now(), endedChildrenMs()]
  await runProgram(lab, { command: program, args })
  const took = { wallMs: performance.now() - startMs, cpuMs: endedChildrenMs() - before }
  rmSync(target, { recursive: true, force: true })
  return took
}

/** CPU time of all children of this process that ended, in ms; Linux tells it in hundredths. */
function endedChildrenMs(): number {
  const text = readFileSync('/proc/self/stat', 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return 10 * (Number(fields[13]) + Number(fields[14]))
}
