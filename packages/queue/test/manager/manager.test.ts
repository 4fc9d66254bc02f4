import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createManualClock, seededRandom, silentLog } from '@drover/kernel'
import { fault } from '../../src/errors.ts'
import { MemoryDisk } from '../../src/log/memory-disk.ts'
import type { HostedBroker } from '../../src/manager/broker-host.ts'
import { Manager } from '../../src/manager/manager.ts'
import { limitDefaults } from '../../src/options.ts'
import type { Link } from '../../src/wire/link.ts'

/** A broker whose link is what `linkOf` returns or throws at the moment. */
function hosted(name: string, linkOf: () => Link): HostedBroker {
  return {
    ...{ name, address: '', state: 'up', pid: undefined },
    get link() {
      return linkOf()
    },
    async start() {},
    async stop() {},
  }
}

describe('manager', () => {
  it('outlives brokers that die while a topic is made on them, and makes it afterwards', async () => {
    const clock = createManualClock()
    const gone = (name: string) => fault('BROKER_UNREACHABLE', `broker ${name} is down`)
    const deaths: (() => void)[] = []
    // Called, it dies before it answers; the other is known to be down when it is called.
    const dying: Link = {
      call: () => new Promise((_, reject) => deaths.push(() => reject(gone('b0')))),
      async close() {},
    }
    const sound: Link = {
      call: async () => ({ result: null, bytes: Buffer.alloc(0) }),
      async close() {},
    }
    let healed = false
    const linkOf = (name: string) => {
      if (healed) return sound
      if (deaths.length > 0) throw gone(name)
      return dying
    }
    const manager = new Manager({
      ...{ disk: new MemoryDisk(), clock, random: seededRandom(1), log: silentLog },
      limits: limitDefaults,
      host: { create: (name) => hosted(name, () => linkOf(name)), async forget() {} },
      firstBrokers: ['b0', 'b1'],
    })
    await manager.start()

    const made = manager.createTopic('t', { partitions: 16 }).catch((error) => error.code)
    await clock.advance(10)
    assert.equal(await made, 'BROKER_UNREACHABLE')
    for (const die of deaths) die()
    await clock.advance(10)

    assert.equal(manager.topic('t').ready, false)
    healed = true
    await clock.advance(1_000)
    assert.equal(manager.topic('t').ready, true, 'it is made as soon as its brokers are back')
    await manager.stop()
  })

  it('deletes a topic while a broker is down, which drops its part when it is back', async () => {
    const clock = createManualClock()
    const disk = new MemoryDisk()
    const down = new Set<string>()
    const dropped: string[] = []
    const linkOf = (name: string): Link => {
      if (down.has(name)) throw fault('BROKER_UNREACHABLE', `broker ${name} is down`)
      return {
        async call(method, params) {
          if (method === 'drop') dropped.push(`${name}/${(params as { id: number }).id}`)
          return { result: null, bytes: Buffer.alloc(0) }
        },
        async close() {},
      }
    }
    const open = async () => {
      const manager = new Manager({
        ...{ disk, clock, random: seededRandom(1), log: silentLog, limits: limitDefaults },
        host: { create: (name) => hosted(name, () => linkOf(name)), async forget() {} },
        firstBrokers: ['b0', 'b1'],
      })
      await manager.start()
      return manager
    }
    let manager = await open()
    const { partitions } = await manager.createTopic('t', { partitions: 16 })
    const placesOn = (broker: string) =>
      partitions.filter((one) => one.broker === broker).map(({ id }) => `${broker}/${id}`)
    down.add('b1')
    await manager.deleteTopic('t')
    assert.deepEqual(dropped, placesOn('b0'))
    await manager.stop()

    manager = await open()
    await clock.advance(1_000)
    assert.deepEqual(dropped, placesOn('b0'))
    down.clear()
    await clock.advance(1_000)
    assert.deepEqual(dropped, [...placesOn('b0'), ...placesOn('b1')])
    assert.equal(manager.state.drops.size, 0)
    await manager.stop()
  })

  it('opens its files anew after its disk failed, with all that it had stored', async () => {
    const clock = createManualClock()
    const disk = new MemoryDisk()
    const sound: Link = {
      call: async () => ({ result: null, bytes: Buffer.alloc(0) }),
      async close() {},
    }
    const manager = () =>
      new Manager({
        ...{ disk, clock, random: seededRandom(1), log: silentLog, limits: limitDefaults },
        host: { create: (name) => hosted(name, () => sound), async forget() {} },
        firstBrokers: ['b0', 'b1'],
      })
    const first = manager()
    await first.start()
    await first.createTopic('kept', { partitions: 2 })

    disk.failAt(1, 'EIO')
    const refused = first.createTopic('refused', { partitions: 2 })
    await assert.rejects(refused, { code: 'DISK_FAILED' })
    await assert.rejects(first.createTopic('also', {}), { code: 'DISK_FAILED' })
    assert.equal(first.topic('kept').partitions.length, 2, 'what it knows it goes on telling')
    disk.failAt(1, 'EIO')
    await clock.advance(1_000)
    disk.failAt(1, 'EIO')
    await assert.rejects(first.addBroker('b2'), { code: 'DISK_FAILED' })
    await clock.advance(1_000)

    assert.deepEqual([...first.brokers.keys()], ['b0', 'b1'])
    await first.createTopic('later', { partitions: 1 })
    await first.stop()
    const again = manager()
    await again.start()
    const names = again.metadata().topics.map(({ name }) => name)
    assert.ok(names.includes('kept') && names.includes('later') && !names.includes('also'))
    await again.stop()
  })
})
