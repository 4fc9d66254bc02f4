import type { StateMachine, StoreEvent } from '../log/state-machine.ts'
import type { TopicOptions } from '../queue-engine.ts'

/** Where one partition is. */
export interface PlacedPartition {
  readonly id: number
  readonly broker: string
  readonly epoch: number
}

/** A topic as the manager keeps it. */
export interface KeptTopic {
  readonly name: string
  readonly options: Required<TopicOptions>
  readonly partitions: readonly PlacedPartition[]
  /** All its partitions were made on their brokers; until then it may be made again. */
  readonly ready: boolean
}

/** A partition on its way from one broker to another. */
export interface PendingMove {
  readonly id: number
  readonly from: string
  readonly to: string
  readonly epoch: number
}

export type ManagerEvent =
  /** With an address it runs on another host, and is not ours to start. */
  | { readonly type: 'broker.add'; readonly name: string; readonly address?: string }
  | { readonly type: 'broker.remove'; readonly name: string }
  | { readonly type: 'topic.set'; readonly topic: KeptTopic; readonly nextId: number }
  | { readonly type: 'topic.remove'; readonly name: string }
  | { readonly type: 'move.begin'; readonly move: PendingMove }
  /** The partition is at `broker` now, moved or not. */
  | {
      readonly type: 'move.end'
      readonly partition: number
      readonly broker: string
      readonly epoch: number
    }
  /** A broker has thrown away what it had of partitions whose topic is gone. */
  | { readonly type: 'dropped'; readonly broker: string; readonly ids: readonly number[] }
  | { readonly type: 'generation'; readonly group: string; readonly generation: number }

/** What a broker is told about a partition. */
export function specOf(topic: KeptTopic, { id, epoch }: PlacedPartition, index: number) {
  return { id, topic: topic.name, index, epoch, options: topic.options }
}

/** What the manager knows for ever: brokers, topics, who has which partition, generations of groups. */
export class ManagerState implements StateMachine {
  /** The address of each broker that runs elsewhere; undefined for one of our own. */
  readonly brokers = new Map<string, string | undefined>()
  readonly topics = new Map<string, KeptTopic>()
  readonly moves = new Map<number, PendingMove>()
  readonly generations = new Map<string, number>()
  /** By broker: partitions of topics that are gone, which it may still have. Numbers are never used again. */
  readonly drops = new Map<string, readonly number[]>()
  nextId = 1
  /** Raised by every change that clients should learn of. */
  version = 0

  applyBatch(): void {}

  applyEvent(event: StoreEvent): void {
    if (event.type.startsWith('log.')) return
    this.version++
    this.#apply(event as ManagerEvent)
  }

  #apply(event: ManagerEvent): void {
    switch (event.type) {
      case 'broker.add':
        this.brokers.set(event.name, event.address)
        break
      case 'broker.remove':
        this.brokers.delete(event.name)
        this.drops.delete(event.name)
        break
      case 'topic.set':
        this.topics.set(event.topic.name, event.topic)
        this.nextId = Math.max(this.nextId, event.nextId)
        break
      case 'topic.remove':
        this.#removeTopic(event.name)
        break
      case 'move.begin':
        this.moves.set(event.move.id, event.move)
        break
      case 'move.end':
        this.moves.delete(event.partition)
        this.#place(event)
        break
      case 'dropped':
        this.#setDrops(event.broker, (ids) => ids.filter((id) => !event.ids.includes(id)))
        break
      case 'generation':
        this.generations.set(event.group, event.generation)
        break
    }
  }

  #removeTopic(name: string): void {
    for (const { id, broker } of this.topics.get(name)?.partitions ?? []) {
      const { from, to } = this.moves.get(id) ?? { from: broker, to: broker }
      for (const owner of new Set([broker, from, to])) this.#setDrops(owner, (ids) => [...ids, id])
      this.moves.delete(id)
    }
    this.topics.delete(name)
  }

  #setDrops(broker: string, change: (ids: readonly number[]) => readonly number[]): void {
    const ids = change(this.drops.get(broker) ?? [])
    if (ids.length > 0) this.drops.set(broker, ids)
    else this.drops.delete(broker)
  }

  #place(event: Extract<ManagerEvent, { type: 'move.end' }>): void {
    for (const topic of this.topics.values()) {
      if (!topic.partitions.some(({ id }) => id === event.partition)) continue
      const { partition: id, broker, epoch } = event
      const partitions = topic.partitions.map((one) =>
        one.id === id ? { id, broker, epoch } : one,
      )
      this.topics.set(topic.name, { ...topic, partitions })
    }
  }

  snapshot(): unknown {
    return {
      brokers: [...this.brokers.keys()],
      remote: [...this.brokers].filter(([, address]) => address !== undefined),
      topics: [...this.topics.values()],
      moves: [...this.moves.values()],
      generations: [...this.generations],
      drops: [...this.drops],
      nextId: this.nextId,
    }
  }

  restore(state: unknown): void {
    const kept = state as {
      brokers: string[]
      /** Not there in what versions before it kept. */
      remote?: [string, string][]
      topics: KeptTopic[]
      moves: PendingMove[]
      generations: [string, number][]
      drops?: [string, number[]][]
      nextId: number
    }
    for (const name of kept.brokers) this.brokers.set(name, undefined)
    for (const [name, address] of kept.remote ?? []) this.brokers.set(name, address)
    for (const topic of kept.topics) this.topics.set(topic.name, topic)
    for (const move of kept.moves) this.moves.set(move.id, move)
    for (const [group, generation] of kept.generations) this.generations.set(group, generation)
    for (const [broker, ids] of kept.drops ?? []) this.drops.set(broker, ids)
    this.nextId = kept.nextId
  }
}
