import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog, systemClock, systemRandom } from '@drover/kernel'
import { createGroupSpec, createMemoryRuntime, createSupervisor } from '@drover/supervisor'

const spec = createGroupSpec({ name: 'web', runtime: { kind: 'process', command: ['nothing'] } })

function open(dataFolder: string) {
  const runtime = createMemoryRuntime()
  const supervisor = createSupervisor({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    dataFolder,
    traffic: { whenReady: async () => {}, whenDrained: async () => {} },
    runtimes: { process: runtime },
  })
  return { supervisor, runtime }
}

test('a supervisor stops all its groups, and a stopped one opens no more', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-supervisor-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const { supervisor, runtime } = open(folder)
  for (const name of ['web', 'api']) await supervisor.openGroup({ ...spec, name }, () => {}).start()
  assert.equal(runtime.living.length, 6)

  await supervisor.stop()
  await supervisor.stop()

  assert.equal(runtime.living.length, 0)
  assert.deepEqual(readdirSync(folder), ['instance'])
  assert.throws(() => supervisor.openGroup(spec, () => {}), { code: 'GROUP_STOPPED' })
})

test('one name is one group, until it has ended; its replicas then have other ids', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-supervisor-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const { supervisor } = open(folder)
  const first = supervisor.openGroup(spec, () => {})
  await first.start()
  assert.throws(() => supervisor.openGroup(spec, () => {}), { code: 'SPEC_INVALID' })

  await first.stop()
  const second = supervisor.openGroup(spec, () => {})
  await second.start()

  assert.equal(second.replicas()[0]?.id, 'web/Server 1~2')
  await supervisor.stop()
})

test('a supervisor that was never started stops without touching the disk', async () => {
  const folder = join(tmpdir(), 'drover-supervisor-never')
  const { supervisor } = open(folder)

  await supervisor.stop()

  assert.throws(() => readdirSync(folder), { code: 'ENOENT' })
})
