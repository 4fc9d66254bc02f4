import {
  type Cancel,
  type Clock,
  describeError,
  Fault,
  type Log,
  type Random,
  type Service,
} from '@drover/kernel'
import { fault } from '../errors.ts'
import type { Disk } from '../log/disk.ts'
import { openAnew } from '../log/open-anew.ts'
import { Store } from '../log/store.ts'
import { checkName, completeTopicOptions, logDefaults, type QueueLimits } from '../options.ts'
import type { BrokerInfo, TopicOptions } from '../queue-engine.ts'
import type { BrokerHost, HostedBroker } from './broker-host.ts'
import { dropGone } from './gone-topics.ts'
import { type KeptTopic, type ManagerEvent, ManagerState, specOf } from './manager-state.ts'
import { Mover } from './mover.ts'
import { type Place, Placement, placesAfterLeaving, placesForNewcomer } from './placement.ts'
import { ReaderGroups } from './reader-groups.ts'
import { RemoteBroker } from './remote-broker.ts'

export interface ManagerOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly limits: QueueLimits
  readonly host: BrokerHost
  /** Brokers to have when there are none yet. */
  readonly firstBrokers: readonly string[]
}

/** All that a client needs to find its way. */
export interface Metadata {
  readonly version: number
  readonly topics: readonly KeptTopic[]
  /** Address of each broker that is up. */
  readonly brokers: Readonly<Record<string, string>>
}

const sweepMs = 500

/**
 * Knows the topics, and which broker has which partition; makes topics, moves partitions when brokers
 * come and go, and says who reads what in a group. No message passes here. Its own state is in a
 * store like a broker's.
 */
export class Manager implements Service {
  readonly using: ManagerOptions
  readonly groups: ReaderGroups
  readonly brokers = new Map<string, HostedBroker>()
  readonly #mover: Mover
  #state = new ManagerState()
  #store: Store | undefined
  #failure: unknown
  #reopening: Promise<void> | undefined
  readonly #stopping = new AbortController()
  /** Changes of topics and brokers, one after the other. */
  #turns: Promise<unknown> = Promise.resolve()
  readonly #timers: Cancel[] = []
  readonly #leaving = new Set<string>()

  constructor(using: ManagerOptions) {
    this.using = using
    this.#mover = new Mover(this)
    this.groups = new ReaderGroups({
      clock: using.clock,
      partitionsOf: (topic) => this.topic(topic).partitions.length,
      lastGeneration: (group) => this.#state.generations.get(group) ?? 0,
      saveGeneration: (group, generation) => this.event({ type: 'generation', group, generation }),
      fence: async (topic, partition, group, generation) => {
        const placed = this.topic(topic).partitions[partition]
        if (!placed) return
        const { id } = placed
        await this.broker(placed.broker).link.call('group.fence', { id, group, generation })
      },
    })
  }

  async start(): Promise<void> {
    if (this.#store) return
    const { clock, log, firstBrokers } = this.using
    await this.#open()
    if (this.#state.brokers.size === 0)
      for (const name of firstBrokers) await this.event({ type: 'broker.add', name })
    for (const [name, address] of this.#state.brokers)
      this.brokers.set(name, this.#hosted(name, address))
    await Promise.all([...this.brokers.values()].map((broker) => broker.start()))
    await this.#inTurn(() => this.#settle()).catch((error) => this.#mayBeAway(error))
    this.#timers.push(
      clock.every(sweepMs, () => {
        this.#sweep().catch((error) => {
          log.warn({ cause: describeError(error) }, 'upkeep failed; it is tried again')
        })
      }),
    )
  }

  async #open(): Promise<void> {
    const { disk, clock, random, log } = this.using
    const machine = new ManagerState()
    const options = { ...logDefaults, walBytes: 4_194_304 }
    const onFailure = (error: unknown) => this.#fail(error)
    this.#store = await Store.open({ disk, clock, random, log, options, machine, onFailure })
    this.#state = machine
    this.#failure = undefined
  }

  /** Nothing is changed any more until the files are open anew; messages go on without us. */
  #fail(error: unknown): void {
    this.#failure = error
    const { log } = this.using
    log.error({ cause: describeError(error) }, 'the manager cannot write; opening anew')
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined
    })
  }

  async #reopen(): Promise<void> {
    const { clock, log } = this.using
    await this.#store?.abandon()
    await openAnew({
      ...{ clock, log, signal: this.#stopping.signal },
      stillFails: "the manager's disk still fails",
      open: async () => {
        await this.#open()
        await this.#inTurn(() => this.#letGo())
      },
    })
  }

  /** Ends brokers whose coming was not stored. */
  async #letGo(): Promise<void> {
    for (const [name, broker] of [...this.brokers]) {
      if (this.#state.brokers.has(name)) continue
      this.brokers.delete(name)
      await broker.stop()
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const cancel of this.#timers.splice(0)) cancel()
    await this.#reopening
    await this.#turns
    await Promise.all([...this.brokers.values()].map((broker) => broker.stop()))
    if (this.#failure === undefined) await this.#store?.close()
    else await this.#store?.abandon()
    this.#store = undefined
  }

  async #sweep(): Promise<void> {
    await this.groups.sweep()
    const halfMade = [...this.#state.topics.values()].some(({ ready }) => !ready)
    const { moves, drops } = this.#state
    if (halfMade || moves.size + drops.size > 0) await this.#inTurn(() => this.#settle())
  }

  /** Finishes what a crash may have left half done. */
  async #settle(): Promise<void> {
    await dropGone(this)
    const ends = await Promise.allSettled(
      [...this.#state.moves.values()].map((move) => this.#mover.finish(move)),
    )
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    for (const topic of [...this.#state.topics.values()])
      if (!topic.ready) await this.#makeReady(topic)
  }

  get state(): ManagerState {
    return this.#state
  }

  /** Stores an event; resolves when it is durable. */
  event(event: ManagerEvent): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (!this.#store) throw fault('BROKER_STOPPED', 'the queue is not running')
    return this.#store.event(event)
  }

  metadata(): Metadata {
    const brokers: Record<string, string> = {}
    for (const [name, broker] of this.brokers)
      if (broker.state === 'up') brokers[name] = broker.address
    return { version: this.#state.version, topics: [...this.#state.topics.values()], brokers }
  }

  /** Throws TOPIC_UNKNOWN. */
  topic(name: string): KeptTopic {
    const topic = this.#state.topics.get(name)
    if (!topic) throw fault('TOPIC_UNKNOWN', `no topic is called "${String(name).slice(0, 250)}"`)
    return topic
  }

  /** Throws BROKER_UNKNOWN. */
  broker(name: string): HostedBroker {
    const broker = this.brokers.get(name)
    if (!broker) throw fault('BROKER_UNKNOWN', `no broker is called "${name}"`)
    return broker
  }

  createTopic(name: string, wishes: TopicOptions): Promise<KeptTopic> {
    return this.#inTurn(() => {
      checkName('topic', name)
      const { topicsMax } = this.using.limits
      if (this.#state.topics.has(name)) throw fault('TOPIC_EXISTS', `topic "${name}" is there`)
      if (this.#state.topics.size >= topicsMax)
        throw fault('TOPICS_TOO_MANY', `there are ${topicsMax} topics already`)
      const options = completeTopicOptions(name, wishes)
      return this.#grow({ name, options, partitions: [], ready: false }, options.partitions)
    })
  }

  addPartitions(name: string, count: number): Promise<KeptTopic> {
    return this.#inTurn(() => {
      if (!Number.isInteger(count) || count < 1)
        throw fault('OPTION_INVALID', `${count} is no number of partitions to add`)
      return this.#grow(this.topic(name), count)
    })
  }

  async #grow(topic: KeptTopic, count: number): Promise<KeptTopic> {
    const { partitionsMax, partitionsPerTopicMax } = this.using.limits
    const all = [...this.#state.topics.values()].reduce(
      (sum, one) => sum + one.partitions.length,
      0,
    )
    const total = topic.partitions.length + count
    if (total > partitionsPerTopicMax || all + count > partitionsMax)
      throw fault(
        'PARTITIONS_TOO_MANY',
        `${total} partitions; a topic may have ${partitionsPerTopicMax}, all ${partitionsMax}`,
      )
    const wishes = { ...topic.options, partitions: total }
    const options = completeTopicOptions(topic.name, wishes)
    const placement = new Placement(this.#staying(), this.#places())
    const added = Array.from({ length: count }, (_, at) => ({
      id: this.#state.nextId + at,
      broker: placement.choose(keyOf(topic.name, topic.partitions.length + at)),
      epoch: 1,
    }))
    const grown = {
      ...topic,
      options,
      partitions: [...topic.partitions, ...added],
      ready: false,
    }
    const nextId = this.#state.nextId + count
    await this.event({ type: 'topic.set', topic: grown, nextId })
    await this.#makeReady(grown)
    return grown
  }

  /** Makes the topic's partitions on their brokers; safe to repeat until `ready` is stored. */
  async #makeReady(topic: KeptTopic): Promise<void> {
    await Promise.all(
      topic.partitions.map(async (placed, index) =>
        this.broker(placed.broker).link.call('own', { spec: specOf(topic, placed, index) }),
      ),
    )
    const { nextId } = this.#state
    await this.event({ type: 'topic.set', topic: { ...topic, ready: true }, nextId })
  }

  deleteTopic(name: string): Promise<void> {
    return this.#inTurn(async () => {
      this.topic(name)
      await this.event({ type: 'topic.remove', name })
      this.groups.forgetTopic(name)
      await dropGone(this)
    })
  }

  #hosted(name: string, address: string | undefined): HostedBroker {
    const { clock, log, host } = this.using
    return address === undefined
      ? host.create(name)
      : new RemoteBroker({ name, address, clock, log })
  }

  /** What a broker on another host keeps from being finished now is finished when it is back. */
  #mayBeAway(error: unknown): void {
    const hasRemote = [...this.#state.brokers.values()].some((address) => address !== undefined)
    if (!hasRemote || !(error instanceof Fault)) throw error
    this.using.log.warn({ cause: describeError(error) }, 'unfinished moves wait for a broker')
  }

  /**
   * Starts a broker, or takes one that runs at `address`, and moves its share of the partitions to
   * it, while all go on.
   */
  addBroker(name: string, address?: string): Promise<void> {
    return this.#inTurn(async () => {
      checkName('broker', name)
      if (this.brokers.has(name)) throw fault('BROKER_EXISTS', `broker "${name}" is there`)
      const broker = this.#hosted(name, address)
      try {
        await broker.start()
        if (address !== undefined && broker.state !== 'up')
          throw fault('BROKER_UNREACHABLE', `no broker answers at ${address}`)
      } catch (error) {
        await broker.stop()
        throw error
      }
      this.brokers.set(name, broker)
      await this.event({ type: 'broker.add', name, ...(address === undefined ? {} : { address }) })
      await this.#rebalance(name)
    })
  }

  /** Moves away all that a broker has, then ends it. */
  removeBroker(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const broker = this.broker(name)
      if (this.brokers.size === 1 && this.#state.topics.size > 0)
        throw fault('LAST_BROKER', `broker "${name}" is the last; its topics have nowhere to go`)
      this.#leaving.add(name)
      try {
        await this.#rebalance()
        await this.event({ type: 'broker.remove', name })
        this.brokers.delete(name)
        await broker.stop()
        if (broker instanceof RemoteBroker) return
        await this.using.host.forget(name)
      } finally {
        this.#leaving.delete(name)
      }
    })
  }

  /** Gives a newcomer its share, and what a leaving broker has to others. */
  async #rebalance(newcomer?: string): Promise<void> {
    // A move without an end may have its partition at a broker that is about to go.
    await this.#settle()
    // Nothing to place, and perhaps no broker left to place it on.
    if (this.#state.topics.size === 0) return
    const [brokers, places] = [this.#staying(), this.#places()]
    const changes =
      newcomer === undefined
        ? placesAfterLeaving(brokers, places)
        : placesForNewcomer(brokers, places, newcomer)
    for (const topic of [...this.#state.topics.values()])
      for (const index of topic.partitions.keys()) {
        const to = changes.get(keyOf(topic.name, index))
        if (to !== undefined) await this.#mover.move(topic, index, to)
      }
  }

  /** The names of all brokers that stay. Throws BROKER_UNKNOWN when there is none. */
  #staying(): string[] {
    const names = [...this.brokers.keys()].filter((name) => !this.#leaving.has(name))
    if (names.length === 0) throw fault('BROKER_UNKNOWN', 'there is no broker yet; add one')
    return names
  }

  #places(): Place[] {
    return [...this.#state.topics.values()].flatMap(({ name, partitions }) =>
      partitions.map(({ broker }, index) => ({ key: keyOf(name, index), broker })),
    )
  }

  brokerInfos(): BrokerInfo[] {
    const counts = new Map<string, number>()
    for (const { partitions } of this.#state.topics.values())
      for (const { broker } of partitions) counts.set(broker, (counts.get(broker) ?? 0) + 1)
    return [...this.brokers.values()].map(({ name, address, state, pid }) => ({
      name,
      address,
      pid,
      state: this.#leaving.has(name) ? 'leaving' : state,
      partitions: counts.get(name) ?? 0,
    }))
  }

  /** Writes a message through the broker to its disk and reads it back. Throws BROKER_FAULTY. */
  async testBroker(name: string): Promise<void> {
    const { random } = this.using
    const text = `test ${random.integer(0, 2 ** 48)}`
    const id = 2 ** 31 + random.integer(0, 2 ** 30)
    const { result } = await this.broker(name).link.call('test', { id, text })
    if (result !== true) throw fault('BROKER_FAULTY', `broker ${name} gave back other bytes`)
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turns.then(work)
    this.#turns = turn.catch((error) => {
      if (!(error instanceof Fault))
        this.using.log.error({ cause: describeError(error) }, 'manager')
    })
    return turn
  }
}

/** What stands for a partition on the ring. */
function keyOf(topic: string, index: number): string {
  return `${topic}/${index}`
}
