import { type Clock, Fault, type Log } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { Disk } from '../log/disk.ts'
import type { BrokerAdmin, PartitionBounds, QueueEngine } from '../queue-engine.ts'
import { type CourseAnswer, failure, success } from './answer.ts'
import type { CoursePart } from './course-state.ts'
import { CourseLedger } from './ledger.ts'
import { brokerNameProblem, nameProblem } from './names.ts'
import { ReadAhead } from './read-ahead.ts'

/** Producers, and consumers, that may ever register. */
const registeredMax = 1_000_000

/** What the managers of the course work on. */
export interface CourseParts {
  /** Must have replay, offsets and partitions. */
  readonly engine: QueueEngine
  readonly brokers: BrokerAdmin
  /** Where the journal of ids and positions lies. */
  readonly disk: Disk
  readonly clock: Clock
  readonly log: Log
}

/**
 * The managers of the course's sharded queue over an engine: topics with named partitions, producers
 * and consumers with ids, and where each of them is. The primary and the read-only manager are two
 * addresses of one of these.
 *
 *   register ─▶ id and position ─▶ journal            produce ─▶ turn ─▶ engine + journal
 *                                                     consume ─▶ turn ─▶ engine ─▶ journal
 */
export class CourseManager {
  readonly #engine: QueueEngine
  readonly #brokers: BrokerAdmin
  readonly #ledger: CourseLedger
  readonly #ahead: ReadAhead
  /** Calls that make or remove topics, one after the other. */
  #changing: Promise<unknown> = Promise.resolve()
  /** Reads of one consumer in one of its partitions, one after the other. */
  readonly #reading = new Map<string, Promise<unknown>>()

  private constructor({ engine, brokers, clock }: CourseParts, ledger: CourseLedger) {
    this.#engine = engine
    this.#brokers = brokers
    this.#ledger = ledger
    this.#ahead = new ReadAhead(engine, clock)
  }

  /** Reads the journal. Throws FEATURE_MISSING for an engine that cannot read by offset, LOG_DAMAGED. */
  static async open(parts: CourseParts): Promise<CourseManager> {
    const { engine, disk, log } = parts
    for (const feature of ['replay', 'offsets', 'partitions'] as const)
      if (engine.lacks.has(feature))
        throw fault(
          'FEATURE_MISSING',
          `the course's queue needs ${feature}, which the ${engine.name} engine lacks`,
        )
    return new CourseManager(parts, await CourseLedger.open(disk, log))
  }

  async close(): Promise<void> {
    await this.#changing.catch(() => {})
    await this.#ledger.close()
  }

  async brokers(): Promise<CourseAnswer> {
    const all = await this.#brokers.brokers()
    return success(all.filter(({ state }) => state !== 'down').map(({ name }) => name))
  }

  async addBroker(name: string): Promise<CourseAnswer> {
    const problem = brokerNameProblem(name)
    if (problem !== undefined) return failure(problem)
    if (await this.#hasBroker(name)) return failure(`${name} already exist`)
    await this.#brokers.addBroker(name)
    return success(`successfully added ${name}`)
  }

  removeBroker(name: string): Promise<CourseAnswer> {
    return this.#change(async () => {
      if (name === 'all') return this.#removeAllBrokers()
      if (!(await this.#hasBroker(name))) return failure(`${name} does not exist`)
      await this.#brokers.removeBroker(name)
      return success(`Removed ${name}`)
    })
  }

  /** Writes through the broker and reads back. */
  async testBroker(name: string): Promise<CourseAnswer> {
    if (!(await this.#hasBroker(name))) return failure(`${name} does not exist`)
    await this.#brokers.testBroker(name)
    return success(
      `Pass: a message was written to the disk of ${name}\nPass: it was read back as it was\n` +
        '------------>  All test cases are passed :)  <------------',
    )
  }

  async topics(): Promise<CourseAnswer> {
    await this.#ledger.ready()
    const placement = await this.#brokers.placement()
    const topics = [...this.#ledger.state.topics]
      .filter(([topic]) => placement.has(topic))
      .map(([topic, parts]) => [
        topic,
        Object.fromEntries(
          parts.map(({ part, index }) => [part, placement.get(topic)?.[index] ?? '']),
        ),
      ])
    return success(Object.fromEntries(topics))
  }

  addTopic(topic: string, part: string): Promise<CourseAnswer> {
    return this.#change(async () => {
      const problem = nameProblem(topic) ?? nameProblem(part)
      if (problem !== undefined) return failure(problem)
      if (await this.#partOf(topic, part)) return failure(`${topic}:${part} already exist`)
      await this.#makePart(topic, part)
      return success(`Topic:${topic}x${part} created successfully`)
    })
  }

  /** Without `part`: for all partitions that the topic has now. With it, both are made on demand. */
  registerProducer(topic: string, part: string | undefined): Promise<CourseAnswer> {
    return this.#change(async () => {
      const problem = nameProblem(topic) ?? (part === undefined ? undefined : nameProblem(part))
      if (problem !== undefined) return failure(problem)
      const parts = await this.#partsFor(topic, part, true)
      if (!parts) return failure(`${topic} does not exist thus no partitions are available`)
      const id = this.#nextId(this.#ledger.state.producers)
      await this.#ledger.note({ kind: 'producer', parts: parts.map(({ serial }) => serial) })
      return success(id)
    })
  }

  async produce(id: number, message: string): Promise<CourseAnswer> {
    await this.#ledger.ready()
    const producer = this.#ledger.state.producers[id]
    if (!producer) return failure(`Producer:${id} does not exist`)
    const { part, noted } = this.#takeTurn('produced', producer)
    const value = new TextEncoder().encode(message)
    const produced = this.#ledger.state.exists(part)
      ? this.#engine.produce(part.topic, [{ value, partition: part.index }])
      : Promise.reject(fault('TOPIC_UNKNOWN', part.topic))
    const [, outcome] = await Promise.allSettled([noted, produced])
    await noted
    if (outcome.status === 'fulfilled') return success(`${part.topic}x${part.part}:Success`)
    if (isGone(outcome.reason))
      return failure(`${part.topic}:${part.part} does not exist, thus can not produce`)
    throw outcome.reason
  }

  /** It starts at the current end of each partition. */
  registerConsumer(topic: string, part: string | undefined): Promise<CourseAnswer> {
    return this.#change(async () => {
      const problem = nameProblem(topic) ?? (part === undefined ? undefined : nameProblem(part))
      if (problem !== undefined) return failure(problem)
      const parts = await this.#partsFor(topic, part, false)
      if (!parts) {
        const what = part === undefined ? topic : `${topic}:${part}`
        return failure(`${what} does not exist, thus can not register as consumer`)
      }
      const bounds = await this.#engine.bounds(topic)
      const offsets = parts.map(({ index }) => boundsOf(bounds, index)?.endOffset ?? 0)
      const id = this.#nextId(this.#ledger.state.consumers)
      await this.#ledger.note({
        kind: 'consumer',
        parts: parts.map(({ serial }) => serial),
        offsets,
      })
      return success(id)
    })
  }

  async consume(id: number): Promise<CourseAnswer> {
    await this.#ledger.ready()
    const consumer = this.#ledger.state.consumers[id]
    if (!consumer) return failure(`Consumer:${id} does not exist`)
    const place = consumer.turn
    const { part, noted } = this.#takeTurn('consumed', consumer)
    const answer = this.#inOrder(`${id}/${place}`, () => this.#read(id, place, part)).then(
      async ({ answer, noted }) => {
        await noted
        return answer
      },
    )
    const [, outcome] = await Promise.allSettled([noted, answer])
    await noted
    if (outcome.status === 'fulfilled') return outcome.value
    if (isGone(outcome.reason))
      return failure(`${part.topic}:${part.part} does not exist, thus can not consume`, {
        topic: `${part.topic}:${part.part}`,
      })
    throw outcome.reason
  }

  /** How many messages wait for the consumer in all its partitions. */
  async size(id: number): Promise<CourseAnswer> {
    await this.#ledger.ready()
    const consumer = this.#ledger.state.consumers[id]
    if (!consumer) return failure(`Consumer:${id} does not exist`)
    const bounds = await this.#boundsOfTopics(consumer.parts)
    let waiting = 0
    let note = ''
    for (const [place, part] of consumer.parts.entries()) {
      const found = boundsOf(bounds.get(part.topic) ?? [], part.index)
      const from = Math.max(consumer.offsets[place] ?? 0, found?.firstOffset ?? 0)
      if (found && this.#ledger.state.exists(part)) waiting += Math.max(0, found.endOffset - from)
      else note += `${part.topic}:${part.part} does not exist, invalid size\n`
    }
    return success(waiting, { note })
  }

  /** Moves the position in memory; the answer may be given once `noted` resolves. */
  async #read(id: number, place: number, part: CoursePart) {
    const { state } = this.#ledger
    const from = state.consumers[id]?.offsets[place] ?? 0
    if (!state.exists(part)) throw fault('TOPIC_UNKNOWN', part.topic)
    const name = { topic: `${part.topic}:${part.part}` }
    const record = await this.#ahead.recordAt(`${id}/${part.serial}`, part, from)
    // Read anew meanwhile, the state may be behind `from`: what lies between was never answered.
    if (this.#ledger.state !== state) throw fault('DISK_FAILED', 'the journal was read anew')
    if (!record) {
      const message = `Empty logs for Comsumer:${id} for Topic:${part.topic}x${part.part}`
      return { answer: failure(message, name), noted: Promise.resolve() }
    }
    const noted = this.#ledger.note({ kind: 'consumed', id, place, offset: record.offset + 1 })
    // Whoever asked awaits it, but perhaps not at once.
    noted.catch(() => {})
    return { answer: success(new TextDecoder().decode(record.value), name), noted }
  }

  /** Moves the turn of a producer or consumer, whatever comes of the call. */
  #takeTurn(
    kind: 'produced' | 'consumed',
    { id, parts, turn }: { id: number; parts: readonly CoursePart[]; turn: number },
  ): { part: CoursePart; noted: Promise<void> } {
    const part = parts[turn]
    if (!part) throw new RangeError(`${kind} ${id} has no turn ${turn}`)
    const next = (turn + 1) % parts.length
    const noted = next === turn ? Promise.resolve() : this.#ledger.note({ kind, id, turn: next })
    // The caller awaits it later, after the engine.
    noted.catch(() => {})
    return { part, noted }
  }

  /** The partitions that a registration means; undefined when there is none. */
  async #partsFor(
    topic: string,
    part: string | undefined,
    make: boolean,
  ): Promise<readonly CoursePart[] | undefined> {
    if (part === undefined)
      return (await this.#hasTopic(topic)) ? this.#ledger.state.topics.get(topic) : undefined
    const found = (await this.#partOf(topic, part)) ?? (make && (await this.#makePart(topic, part)))
    return found ? [found] : undefined
  }

  async #partOf(topic: string, part: string): Promise<CoursePart | undefined> {
    return (await this.#hasTopic(topic)) ? this.#ledger.state.find(topic, part) : undefined
  }

  /** Holds when both we and the engine know the topic; it may have been deleted past us. */
  async #hasTopic(topic: string): Promise<boolean> {
    if (!this.#ledger.state.topics.has(topic)) return false
    if ((await this.#brokers.placement()).has(topic)) return true
    await this.#ledger.note({ kind: 'topic-gone', topic })
    return false
  }

  /** The engine first: a partition that it has and we do not know is taken the next time. */
  async #makePart(topic: string, part: string): Promise<CoursePart> {
    const index = this.#ledger.state.topics.get(topic)?.length ?? 0
    const there = (await this.#engine.topics()).find(({ name }) => name === topic)?.partitions
    if (there === undefined)
      await this.#engine.createTopic(topic, { partitions: index + 1, retentionMs: 0 })
    else if (there <= index) await this.#engine.addPartitions(topic, index + 1 - there)
    await this.#ledger.note({ kind: 'part', topic, part, index })
    const made = this.#ledger.state.find(topic, part)
    if (!made) throw new RangeError(`${topic}:${part} was not made`)
    return made
  }

  /** The topics of the course go with their last broker; those of others keep it. */
  async #removeAllBrokers(): Promise<CourseAnswer> {
    const others = (await this.#engine.topics()).filter(
      ({ name }) => !this.#ledger.state.topics.has(name),
    )
    if (others.length > 0)
      throw fault('LAST_BROKER', `there are topics of others, as ${others[0]?.name}`)
    for (const topic of [...this.#ledger.state.topics.keys()]) {
      await this.#engine.deleteTopic(topic).catch((error: unknown) => {
        if (!isGone(error)) throw error
      })
      await this.#ledger.note({ kind: 'topic-gone', topic })
    }
    for (const { name } of await this.#brokers.brokers()) await this.#brokers.removeBroker(name)
    return success('Removed all brokers')
  }

  async #hasBroker(name: string): Promise<boolean> {
    return (await this.#brokers.brokers()).some((broker) => broker.name === name)
  }

  async #boundsOfTopics(
    parts: readonly CoursePart[],
  ): Promise<ReadonlyMap<string, readonly PartitionBounds[]>> {
    const bounds = new Map<string, readonly PartitionBounds[]>()
    for (const topic of new Set(parts.map((part) => part.topic)))
      try {
        bounds.set(topic, await this.#engine.bounds(topic))
      } catch (error) {
        if (!isGone(error)) throw error
      }
    return bounds
  }

  #nextId(registered: readonly unknown[]): number {
    if (registered.length >= registeredMax)
      throw fault('OPTION_INVALID', `${registeredMax} are registered, which is the most`)
    return registered.length
  }

  /** Runs calls that change topics one after the other. */
  #change(call: () => Promise<CourseAnswer>): Promise<CourseAnswer> {
    const mine = this.#changing.catch(() => {}).then(() => this.#ledger.ready().then(call))
    this.#changing = mine
    return mine
  }

  #inOrder<Result>(key: string, call: () => Promise<Result>): Promise<Result> {
    const mine = (this.#reading.get(key) ?? Promise.resolve()).catch(() => {}).then(call)
    this.#reading.set(key, mine)
    const done = () => {
      if (this.#reading.get(key) === mine) this.#reading.delete(key)
    }
    mine.then(done, done)
    return mine
  }
}

function boundsOf(bounds: readonly PartitionBounds[], index: number): PartitionBounds | undefined {
  return bounds.find(({ partition }) => partition === index)
}

function isGone(error: unknown): boolean {
  return (
    error instanceof Fault && (error.code === 'TOPIC_UNKNOWN' || error.code === 'PARTITION_UNKNOWN')
  )
}
