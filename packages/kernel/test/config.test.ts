import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Type } from 'typebox'
import { loadConfig, parseConfig } from '../src/config.ts'

const schema = Type.Object(
  {
    services: Type.Record(
      Type.String(),
      Type.Object(
        {
          command: Type.Array(Type.String(), { minItems: 1 }),
          replicas: Type.Integer({ minimum: 1, maximum: 100, default: 3 }),
          policy: Type.Optional(Type.Union([Type.Literal('ring'), Type.Literal('random')])),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)

function problemsOf(text: string): string {
  try {
    parseConfig(schema, text, 'drover.yaml')
  } catch (error) {
    assert.equal((error as { code: string }).code, 'CONFIG_INVALID')
    return (error as Error).message
  }
  return ''
}

test('a good file comes back with its defaults filled in', () => {
  const config = parseConfig(
    schema,
    'services:\n  web:\n    command: [node, server.js]\n',
    'x.yaml',
  )

  assert.deepEqual(config, { services: { web: { command: ['node', 'server.js'], replicas: 3 } } })
})

test('a wrong value is named with file, line, key, and what was expected', () => {
  const message = problemsOf('services:\n  web:\n    command: [node]\n    replicas: many\n')

  assert.equal(
    message,
    'drover.yaml:4: services.web.replicas: expected a whole number from 1 to 100, not "many"',
  )
})

test('an unknown key is answered with the nearest known one', () => {
  const message = problemsOf('services:\n  web:\n    command: [node]\n    replcas: 3\n')

  assert.equal(
    message,
    'drover.yaml:4: services.web.replcas: unknown key; did you mean "replicas"?',
  )
})

test('every problem of a file is told at once', () => {
  const message = problemsOf('services:\n  web:\n    replicas: 0\n    policy: best\n')
  const lines = message.split('\n')

  assert.equal(lines.length, 3)
  assert.ok(lines.some((line) => line.includes('services.web.command: is missing')))
  assert.ok(lines.some((line) => line.startsWith('drover.yaml:3: services.web.replicas')))
  assert.ok(lines.some((line) => line.includes('"ring" or "random", not "best"')))
})

test('a number where a text of digits was meant is told to be quoted', () => {
  const address = Type.String({ pattern: '^:?\\d+$' })
  const told = (text: string) => {
    const one = Type.Object({ address, share: Type.Optional(Type.Number()) })
    try {
      parseConfig(one, text, 'x.yaml')
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }

  assert.equal(told('address: "8080"\n'), '')
  assert.match(told('address: 8080\n'), /expected a text, not 8080; put it in quotes$/)
  assert.match(told('address: -1\n'), /expected a text, not -1$/)
  assert.match(told('address: "1"\nshare: true\n'), /expected a number, not true$/)
})

test('the bounds of a number are told, open ones too', () => {
  const told = (bounds: Record<string, number>) => {
    const one = Type.Object({ share: Type.Number(bounds) })
    try {
      parseConfig(one, 'share: none\n', 'x.yaml')
      return ''
    } catch (error) {
      return (error as Error).message.replace('x.yaml:1: share: expected a number', '')
    }
  }

  assert.equal(told({}), ', not "none"')
  assert.equal(told({ minimum: 0, maximum: 1 }), ' from 0 to 1, not "none"')
  assert.equal(told({ minimum: 2 }), ' of at least 2, not "none"')
  assert.equal(told({ maximum: 2 }), ' of at most 2, not "none"')
  assert.equal(told({ exclusiveMinimum: 0 }), ' above 0, not "none"')
  assert.equal(told({ exclusiveMinimum: 0, maximum: 9 }), ' above 0 and at most 9, not "none"')
})

test('broken YAML is refused with its line', () => {
  assert.match(problemsOf('services:\n  web: [unclosed\n'), /^drover\.yaml:\d+: /)
})

test('an alias bomb is refused instead of filling the memory', () => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...Array.from({ length: 9 }, (_, level) => {
      const from = String.fromCharCode(97 + level)
      const to = String.fromCharCode(98 + level)
      return `${to}: &${to} [${new Array(9).fill(`*${from}`).join(', ')}]`
    }),
  ].join('\n')

  assert.match(problemsOf(bomb), /alias/i)
})

test('a file that cannot be read is a fault that names it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-config-'))
  const file = join(folder, 'drover.yaml')

  await assert.rejects(loadConfig(schema, file), {
    code: 'CONFIG_INVALID',
    message: /drover\.yaml/,
  })
  writeFileSync(file, 'services: {}\n')

  assert.deepEqual(await loadConfig(schema, file), { services: {} })
  rmSync(folder, { recursive: true })
})
