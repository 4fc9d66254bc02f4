import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runDrover, startDrover, temporaryFolder } from './harness/drover.ts'
import { homeServer } from './harness/project.ts'

const any = '127.0.0.1:0'
const server = ['--', process.execPath, homeServer]

/** What listens somewhere, by what it is told of the address that is taken. */
const commands: [name: string, words: (taken: string) => string[]][] = [
  ['balance', (taken) => ['balance', '--listen', taken, '--admin', 'off', ...server]],
  ['its admin API', (taken) => ['balance', '--listen', any, '--admin', taken, ...server]],
  [
    'balance with worker processes',
    (taken) => ['balance', '--workers', '2', '--listen', taken, '--admin', 'off', ...server],
  ],
  ['chunks serve', (taken) => ['chunks', 'serve', '--listen', taken]],
  [
    'chunks serve over backends that run',
    (taken) => ['chunks', 'serve', '--backends-url', 'http://127.0.0.1:1', '--listen', taken],
  ],
  ['chunks backend', (taken) => ['chunks', 'backend', '--listen', taken]],
  ['jobs serve', (taken) => ['jobs', 'serve', '--listen', taken]],
  ['jobs serve with replicas', (taken) => ['jobs', 'serve', '--replicas', '1', '--listen', taken]],
  ['queue serve', (taken) => ['queue', 'serve', '--listen', taken, '--tcp', any]],
  ['queue serve, binary', (taken) => ['queue', 'serve', '--listen', any, '--tcp', taken]],
  ['queue broker', (taken) => ['queue', 'broker', 'one', '--listen', taken]],
  ['herd serve', (taken) => ['herd', 'serve', 'Zoe', '--listen', taken]],
]

for (const [name, wordsFor] of commands)
  test(`an address that is taken is named: ${name}`, async (context) => {
    const taken = await takeAddress(context)

    const ran = await runDrover(wordsFor(taken), { cwd: await temporaryFolder() })

    assert.equal(ran.stderr, `drover: ${taken} is taken by another program\n`)
    assert.equal(ran.code, 1)
  })

for (const [what, lineOf] of [
  ["clients' address", (taken: string) => `Ann: '${taken}'`],
  ["peers' address", (taken: string) => `Ann: { address: '127.0.0.1:0', peers: '${taken}' }`],
] as const)
  test(`a herd does not begin while a server's ${what} is taken`, async (context) => {
    const cwd = await temporaryFolder()
    const taken = await takeAddress(context)
    await writeFile(join(cwd, 'two.yaml'), `name: two\nservers: { ${lineOf(taken)} }\nlinks: []\n`)

    const ran = await runDrover(['herd', 'up', 'two.yaml'], { cwd })

    assert.equal(ran.stderr, `drover: ${taken} is taken by another program\n`)
    assert.equal(ran.code, 1)
    assert.equal(ran.stdout, '')
  })

test('a herd ends when one of its servers cannot start at all', async () => {
  const cwd = await temporaryFolder()
  const text = `name: one\nservers: { Ann: '127.0.0.1:0' }\nlinks: []\nkeyFile: nowhere\n`
  await writeFile(join(cwd, 'one.yaml'), text)

  const ran = await runDrover(['herd', 'up', 'one.yaml'], { cwd })

  assert.match(ran.stderr, /nowhere: the herd's key cannot be read\n/)
  assert.match(ran.stderr, /drover: Ann cannot start; what it says stands above\n$/)
  assert.equal(ran.code, 2)
})

test('two instances with worker processes do not share an address unnoticed', async (context) => {
  const workers = ['balance', '--workers', '1', '-n', '1', '--listen']
  const first = await startDrover(context, [...workers, any, '--admin', any, ...server])
  const { host } = new URL(await first.url())

  const second = await runDrover([...workers, host, '--admin', 'off', ...server], {
    cwd: await temporaryFolder(),
  })

  assert.equal(second.stderr, `drover: ${host} is taken by another program\n`)
  assert.equal(second.code, 1)
})

/** Listens until the test is over; returns where. */
async function takeAddress(context: TestContext): Promise<string> {
  const other = createServer().listen(0, '127.0.0.1')
  context.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  return `127.0.0.1:${port}`
}
