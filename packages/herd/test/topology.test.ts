import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createManualClock } from '@drover/kernel'
import { builtinTopologies, createTopology, findTopology, loadTopology } from '../src/index.ts'
import { ActivityLog } from '../src/server/activity-log.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drover-herd-'))
})
afterEach(() => rm(directory, { recursive: true }))

const examples = fileURLToPath(new URL('../../../../examples/herd-five/', import.meta.url))

for (const [file, name] of [
  ['herd.yaml', 'bailey'],
  ['goloman.yaml', 'goloman'],
] as const)
  test(`the example ${file} is the built-in ${name}`, async () => {
    assert.deepEqual(await loadTopology(join(examples, file)), builtinTopologies[name])
    assert.equal(await findTopology(name), builtinTopologies[name])
  })

test('peers are never on the port of clients', () => {
  for (const topology of Object.values(builtinTopologies))
    for (const { address, peers } of topology.servers)
      assert.equal(peers.port, address.port + 10_000)
})

const broken: Record<string, [text: string, message: RegExp]> = {
  'a link to nobody': [
    'name: a\nservers:\n  A: 127.0.0.1:1\nlinks:\n  - [A, B]\n',
    /:5: links\.0: there is no server "B"/,
  ],
  'a link to oneself': [
    'name: a\nservers:\n  A: 127.0.0.1:1\nlinks:\n  - [A, A]\n',
    /its own neighbour/,
  ],
  'an address twice': [
    'name: a\nservers:\n  A: 127.0.0.1:1\n  B: 127.0.0.1:1\n',
    /:4: servers\.B: 127\.0\.0\.1:1 is A's already/,
  ],
  'no address': ['name: a\nservers:\n  A: here\n', /:3: .*"here" is not an address/],
  'a name with a blank': ['name: a\nservers:\n  A b: 127.0.0.1:1\n', /a name is/],
  'an unknown key': [
    'name: a\nservers: {}\nlink: []\n',
    /:3: link: unknown key; did you mean "links"/,
  ],
}
for (const [what, [text, message]] of Object.entries(broken))
  test(`${what} is refused, with its place in the file`, async () => {
    const file = join(directory, 'herd.yaml')
    await writeFile(file, text)

    await assert.rejects(loadTopology(file), { code: 'CONFIG_INVALID', message })
  })

test('a topology made in code is checked as a file is', () => {
  assert.throws(() => createTopology('x', { A: 1 }, [['A', 'B']]), { code: 'CONFIG_INVALID' })
})

test('the log is JSON lines of what came and went, byte for byte, in order', async () => {
  const log = new ActivityLog({
    file: join(directory, 'deep', 'A.log'),
    clock: createManualClock(7),
  })
  const line = Buffer.from('quote " back \\ tab \t NUL \0 high \xff', 'latin1')
  log.input(5, 3, line, 0, line.length)
  log.output(3, Buffer.from('x'.repeat(2_000)), 0, 2_000)
  const answer = Buffer.from('x? IAMATx')
  log.exchange(6, 4, answer, 3, 8, answer, 1, 8)
  log.event('herd.peer.linked', { peer: 'B' })
  await log.close()

  const text = await readFile(join(directory, 'deep', 'A.log'), 'utf8')
  const lines = text
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each))
  assert.deepEqual(lines, [
    { t: 5, c: 3, in: line.toString('latin1') },
    { t: 7, c: 3, out: 'x'.repeat(1_024), bytes: 2_000 },
    { t: 6, c: 4, in: 'IAMAT', out: '? IAMAT' },
    { t: 7, event: 'herd.peer.linked', peer: 'B' },
  ])
})

test('a log that has grown becomes the older one, and only so many are kept', async () => {
  const clock = createManualClock()
  const file = join(directory, 'A.log')
  const log = new ActivityLog({ file, clock, fileBytesMax: 100, olderFilesMax: 2 })
  for (let round = 0; round < 8; round++) {
    log.event(`event ${round}`, { text: 'x'.repeat(120) })
    await clock.advance(100)
    // The write is node's, not the clock's: it is awaited by what it leaves in the file.
    for (let tries = 0; tries < 1_000; tries++) {
      if ((await readFile(file, 'utf8').catch(() => '')).includes(`event ${round}`)) break
    }
  }
  await log.close()

  assert.deepEqual((await readdir(directory)).sort(), ['A.log', 'A.log.1', 'A.log.2'])
  assert.match(await readFile(file, 'utf8'), /event 7/)
})
