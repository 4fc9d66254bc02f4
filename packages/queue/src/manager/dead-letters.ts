import {
  type Cancel,
  type Clock,
  describeError,
  Fault,
  type Log,
  type Service,
} from '@drover/kernel'
import type { DeadLetters } from '../broker/work/leased.ts'
import { batchBytesAt } from '../log/batch.ts'
import { decodeBatch } from '../log/record.ts'
import type { QueueRecord } from '../message.ts'
import type { QueueEngine } from '../queue-engine.ts'
import type { Link } from '../wire/link.ts'

const pollMs = 100
const countMax = 200

export interface DeadLetterOptions {
  readonly clock: Clock
  readonly log: Log
  readonly engine: QueueEngine
  readonly brokers: () => readonly { readonly name: string; readonly link: Link }[]
}

/**
 * Moves messages whose attempts are used up to their dead-letter topic, which may be another broker's.
 * A dedupe key made of their place keeps a repetition after a crash from storing one twice.
 */
export class DeadLetterMover implements Service {
  readonly #with: DeadLetterOptions
  #cancel: Cancel | undefined
  #moving: Promise<void> | undefined

  constructor(using: DeadLetterOptions) {
    this.#with = using
  }

  async start(): Promise<void> {
    this.#cancel ??= this.#with.clock.every(pollMs, () => {
      this.#moving ??= this.moveAll().finally(() => {
        this.#moving = undefined
      })
    })
  }

  async stop(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    await this.#moving
  }

  /** Moves what is dead now, from every broker. */
  async moveAll(): Promise<void> {
    for (const broker of this.#with.brokers()) {
      try {
        // Up when it was listed, it may be down by now: then asking for its link throws.
        const { link } = broker
        const { result, bytes } = await link.call('dead', { count: countMax })
        if (result) await this.#move(result as Omit<DeadLetters, 'parts'>, bytes, link)
      } catch (error) {
        const { name } = broker
        const away = error instanceof Fault && error.code === 'BROKER_UNREACHABLE'
        if (!away) this.#with.log.warn({ name, cause: describeError(error) }, 'dead letters wait')
      }
    }
  }

  async #move(about: Omit<DeadLetters, 'parts'>, bytes: Buffer, link: Link): Promise<void> {
    const { id, group, topic, index, to, missing } = about
    const records: QueueRecord[] = []
    for (let at = 0; at < bytes.length; at += batchBytesAt(bytes, at))
      decodeBatch(bytes, at, topic, index, 0, records)
    await this.#openTopic(to)
    await this.#with.engine.produce(
      to,
      records.map((record) => this.#letter(record, about)),
    )
    const offsets = [...records.map(({ offset }) => offset), ...missing]
    await link.call('bury', { id, group, offsets })
  }

  #letter(record: QueueRecord, { topic, index, group, about }: Omit<DeadLetters, 'parts'>) {
    const { offset, value, key, headers } = record
    const words = about.find((one) => one.offset === offset)
    return {
      value,
      ...(key === undefined ? {} : { key }),
      headers: {
        ...headers,
        'drover-topic': topic,
        'drover-partition': String(index),
        'drover-offset': String(offset),
        'drover-attempts': String(words?.attempts ?? 0),
        'drover-reason': words?.reason ?? '',
      },
      dedupeKey: `${topic}/${index}/${offset}/${group}`,
    }
  }

  async #openTopic(name: string): Promise<void> {
    const { engine } = this.#with
    if ((await engine.topics()).some((topic) => topic.name === name)) return
    await engine.createTopic(name, { partitions: 1 }).catch((error) => {
      if (!(error instanceof Fault && error.code === 'TOPIC_EXISTS')) throw error
    })
  }
}
