import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { silentLog, systemClock, systemRandom } from '@drover/kernel'
import { ProcessHost } from '../../src/manager/process-host.ts'
import { limitDefaults, logDefaults } from '../../src/options.ts'
import { until } from '../system/load.ts'

async function hostIn(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'queue-host-'))
  const host = new ProcessHost({
    ...{ folder, host: '127.0.0.1', clock: systemClock, random: systemRandom, log: silentLog },
    ...{ limits: limitDefaults, logOptions: logDefaults },
  })
  const broker = host.create('b0')
  context.after(async () => {
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  })
  /** As long as this file is there, no broker can start: another living process has its folder. */
  const lock = join(folder, 'b0', 'lock')
  return { broker, lock, folder }
}

describe('broker as a process', () => {
  it('is started again when it died, also when it could not start at first', async (context) => {
    const { broker, lock } = await hostIn(context)
    await broker.start()
    const first = broker.pid ?? 0
    await writeFile(lock, String(process.pid))
    process.kill(first, 'SIGKILL')
    await until('it is down', () => broker.state !== 'up')
    assert.throws(() => broker.link, { code: 'BROKER_UNREACHABLE' })

    let starts = 0
    let seen = broker.state
    await until('a start that failed', () => {
      if (seen === 'starting' && broker.state === 'down') starts++
      seen = broker.state
      return starts > 0
    })
    await rm(lock)
    await until('it is up again', () => broker.state === 'up')
    assert.notEqual(broker.pid, first)
    const { result } = await broker.link.call('status', {})
    assert.equal((result as { name: string }).name, 'b0')
  })

  it('says why it cannot start, and leaves no process', async (context) => {
    const { broker, lock, folder } = await hostIn(context)
    await mkdir(join(folder, 'b0'), { recursive: true })
    await writeFile(lock, String(process.pid))
    await assert.rejects(broker.start(), /is used by the process/)
    assert.equal(broker.state, 'down')
    assert.equal(broker.pid, undefined)
    await rm(lock)
    await broker.start()
    assert.equal(broker.state, 'up')
  })

  it('is gone when it is stopped while it starts', async (context) => {
    const { broker } = await hostIn(context)
    const started = broker.start().then(
      () => 'up',
      () => 'refused',
    )
    await broker.stop()
    assert.equal(await started, 'refused')
    assert.equal(broker.pid, undefined)
  })
})
