import {
  createManualClock,
  type ManualClock,
  type Random,
  seededRandom,
  silentLog,
} from '@drover/kernel'
import { QueueClient } from '../../src/client/queue-client.ts'
import { fault } from '../../src/errors.ts'
import { type Fate, MemoryDisk, type PendingOp } from '../../src/log/memory-disk.ts'
import { LocalHost } from '../../src/manager/local-host.ts'
import { Manager } from '../../src/manager/manager.ts'
import { createManagerHandler } from '../../src/manager/requests.ts'
import { limitDefaults, logDefaults } from '../../src/options.ts'
import { createLocalLink, type Link } from '../../src/wire/link.ts'

const logOptions = { ...logDefaults, walBytes: 4_000, segmentBytes: 3_000, indexEveryBytes: 500 }

/** Brokers, manager and clients of one seed, with a network and disks that misbehave while `wild`. */
export class World {
  readonly random: Random
  readonly clock: ManualClock
  readonly host: LocalHost
  readonly manager: Manager
  readonly disks = new Map<string, MemoryDisk>()
  /** Down since a crash. */
  readonly down = new Set<string>()
  wild = false
  crashes = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.clock = createManualClock(1_700_000_000_000)
    const parts = {
      ...{ clock: this.clock, random: this.random, log: silentLog },
      limits: limitDefaults,
      logOptions,
    }
    this.host = new LocalHost({ ...parts, diskOf: (name) => this.diskOf(name) })
    this.manager = new Manager({
      ...parts,
      disk: new MemoryDisk(),
      host: this.host,
      firstBrokers: ['b0', 'b1'],
    })
  }

  diskOf(name: string): MemoryDisk {
    let disk = this.disks.get(name)
    if (!disk) {
      disk = new MemoryDisk()
      this.disks.set(name, disk)
    }
    return disk
  }

  client(): QueueClient {
    return new QueueClient({
      manager: createLocalLink(createManagerHandler(this.manager)),
      connect: (name) => this.#flaky(this.host.linkTo(name)),
      ...{ clock: this.clock, random: this.random, patienceMs: 60_000 },
      gathering: { batchBytes: 400 },
    })
  }

  /** A link that loses requests and answers, and takes its time. */
  #flaky(link: Link): Link {
    const lost = () => fault('BROKER_UNREACHABLE', 'the network lost it')
    return {
      call: async (method, params, parts, options) => {
        if (!this.wild) return link.call(method, params, parts, options)
        if (this.random.next() < 0.03) throw lost()
        if (this.random.next() < 0.3) await this.clock.sleep(this.random.integer(1, 30))
        const reply = await link.call(method, params, parts, options)
        if (this.random.next() < 0.03) throw lost()
        return reply
      },
      close: () => link.close(),
    }
  }

  /** Cuts the power of one broker: each unsynced operation meets a fate of its own. */
  crash(name: string): void {
    const broker = this.host.brokers.get(name)
    const disk = this.disks.get(name)
    if (!broker || !disk) return
    this.crashes++
    this.down.add(name)
    this.host.brokers.delete(name)
    const fates: Fate[] = ['kept', 'dropped', 'torn-1', 'torn-512', 'zeroed', 'stale']
    const choose = (op: PendingOp) =>
      this.random.pick(op.kind === 'write' ? fates : fates.slice(0, 2)) ?? 'dropped'
    this.disks.set(name, disk.crash(choose))
    broker.abandon().catch(() => {})
  }

  async recover(name: string): Promise<void> {
    if (!this.down.delete(name)) return
    await this.host.startBroker(name)
  }

  /** Lets time pass in steps of 5 ms while `work` goes on, at most for `limitMs`. */
  async pass<Result>(work: Promise<Result>, limitMs = 600_000): Promise<Result> {
    let settled = false
    const marked = work.finally(() => {
      settled = true
    })
    marked.catch(() => {})
    for (let passedMs = 0; !settled && passedMs < limitMs; passedMs += 5)
      await this.clock.advance(5)
    if (!settled) throw new Error(`not done after ${limitMs} ms of simulated time`)
    return marked
  }
}
