import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Command, CommanderError } from 'commander'
import { type Given, optionOf, toConfig } from '../../src/commands/balance-config.ts'
import { createProgram } from '../../src/commands/program.ts'
import { commandWords } from '../../src/config/command-words.ts'
import { loadOptions } from '../../src/config/load.ts'

const root = fileURLToPath(new URL('../../../../../', import.meta.url))
const made = ['node_modules', 'dist', '.git', '.drover', 'reports', 'release']

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return made.includes(entry.name) ? [] : filesIn(path, ending)
    return entry.name.endsWith(ending) ? [path] : []
  })
}

/** The command lines of drover in a page: whole lines of code, without what a shell does with them. */
function commandLines(page: string): string[] {
  const joined = page.replaceAll(/\\\n\s*/g, '')
  return [...joined.matchAll(/^(?: {4,}| {2}(?=drover)|)(?:\$ )?(?:npx )?drover ([a-z].*)$/gm)]
    .map(([, line = '']) => line.replace(/( {2,}| [#>]).*$/, '').trim())
    .filter((line) => !line.includes('|') && !line.includes('`'))
}

/** Parses a command line without doing what it says; throws when there is anything wrong with it. */
async function parse(line: string): Promise<void> {
  const program = await createProgram()
  const silence = (command: Command) => {
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} })
    if (command.commands.length === 0) command.action(() => {})
    for (const inner of command.commands) silence(inner)
  }
  silence(program)
  program.commands
    .find((command) => command.name() === 'balance')
    ?.action((words: string[], given: Given) => {
      loadOptions(toConfig(given, words), '/', optionOf)
    })
  try {
    program.parse(commandWords(line), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error
  }
}

test('every command line in the documentation and the help is one that the command takes', async () => {
  const help = filesIn(join(root, 'packages', 'drover', 'src', 'commands'), '.ts')
  const lines = [...filesIn(root, '.md'), ...help].flatMap((path) =>
    commandLines(readFileSync(path, 'utf8')).map((line) => ({ path, line })),
  )

  const wrong: string[] = []
  for (const { path, line } of lines)
    await parse(line).catch((error: Error) => {
      wrong.push(`${path}: drover ${line}: ${error.message}`)
    })

  assert.ok(lines.length > 20, `only ${lines.length} were found`)
  assert.deepEqual(wrong, [])
})

test('this finds what is wrong', async () => {
  await assert.rejects(parse('balance --replcas 3 -- node x.js'), /unknown option/)
  await assert.rejects(parse('balance --policy none -- node x.js'), /--policy/)
  await assert.rejects(parse('blance'), /unknown command/)
  await parse('balance --replicas 3 -- node x.js')
})
