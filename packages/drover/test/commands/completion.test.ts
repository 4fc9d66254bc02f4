import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { completionScript } from '../../src/commands/completion.ts'
import { createProgram } from '../../src/commands/program.ts'

const program = await createProgram()

/** What bash offers after `words`, the last of which is being typed. */
function offered(words: readonly string[]): string[] {
  const script = `${completionScript('bash', program)}
COMP_WORDS=(${words.map((word) => JSON.stringify(word)).join(' ')})
COMP_CWORD=${words.length - 1}
_drover
printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n')
}

test('bash completes commands, options and policies', () => {
  assert.deepEqual(offered(['drover', 'ba']), ['balance'])
  assert.deepEqual(offered(['drover', 'config', 's']).sort(), ['schema', 'show'])
  assert.ok(offered(['drover', 'balance', '--re']).includes('--replicas'))
  assert.deepEqual(offered(['drover', 'balance', '--policy', 'least']), ['least-connections'])
  assert.deepEqual(offered(['drover', 'policy', 'web', 'least']), ['least-connections'])
  assert.ok(offered(['drover', 'kill', 'web', '--d']).includes('--data'))
})

test('bash completes the options of a command within a command', () => {
  assert.deepEqual(offered(['drover', 'queue', 'topics', '--p']), ['--partitions'])
  assert.deepEqual(offered(['drover', 'herd', 'st']), ['storm'])
  assert.deepEqual(offered(['drover', 'herd', 'storm', 'bailey', '--cl']), ['--clients'])
})

test('the other shells get every command, too', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    const script = completionScript(shell, program)
    for (const command of program.commands) assert.ok(script.includes(command.name()), shell)
  }
})
