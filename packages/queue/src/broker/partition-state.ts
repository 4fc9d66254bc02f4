import { baseOffsetAt, timeAt } from '../log/batch.ts'
import { dedupeKeyAt, deltaAt, dueAt, eachRecord, priorityAt } from '../log/record.ts'
import { DedupeKeys } from './dedupe.ts'
import type { PartitionEvent, PartitionSpec } from './events.ts'
import { Producers } from './producers.ts'
import { type KeptWorkGroup, WorkGroup } from './work/work-group.ts'

/** The group of workers that every partition has from the beginning. */
const defaultWorkGroup = 'workers'

/** How far a group of readers is. */
interface Committed {
  readonly offset: number
  /** The highest generation that has committed; lower ones are refused. */
  readonly generation: number
}

/** The state of a partition as plain JSON: in snapshots, and on its way to another broker. */
export interface KeptPartitionState {
  readonly role: PartitionRole
  readonly spec: PartitionSpec
  readonly producers: ReturnType<Producers['keep']>
  readonly dedupe: ReturnType<DedupeKeys['keep']>
  readonly specials: readonly (readonly [number, number, number])[]
  readonly committed: readonly (readonly [string, Committed])[]
  readonly work: readonly (readonly [string, KeptWorkGroup])[]
}

/**
 *   copying ──adopt──▶ owner ──fence──▶ fenced ──(dropped)
 *                        ▲────resume──────┘
 */
export type PartitionRole = 'owner' | 'copying' | 'fenced'

/** All about one partition that is not its records; the same events make the same state. */
export class PartitionState {
  spec: PartitionSpec
  role: PartitionRole
  producers = new Producers()
  dedupe = new DedupeKeys()
  /** Messages with a priority or a due time that some group of workers has not done yet. */
  readonly specials = new Map<number, readonly [number, number]>()
  readonly committed = new Map<string, Committed>()
  readonly work = new Map<string, WorkGroup>()

  constructor(spec: PartitionSpec, role: PartitionRole) {
    this.spec = spec
    this.role = role
    this.work.set(defaultWorkGroup, new WorkGroup(0))
  }

  static restore(kept: KeptPartitionState): PartitionState {
    const state = new PartitionState(kept.spec, kept.role)
    state.#take(kept)
    return state
  }

  #take(kept: KeptPartitionState): void {
    this.producers = Producers.restore(kept.producers)
    this.dedupe = DedupeKeys.restore(kept.dedupe)
    this.specials.clear()
    for (const [offset, priority, dueMs] of kept.specials)
      this.specials.set(offset, [priority, dueMs])
    this.committed.clear()
    for (const [group, committed] of kept.committed) this.committed.set(group, committed)
    this.work.clear()
    for (const [group, work] of kept.work) this.work.set(group, WorkGroup.restore(work))
  }

  keep(): KeptPartitionState {
    return {
      role: this.role,
      spec: this.spec,
      producers: this.producers.keep(),
      dedupe: this.dedupe.keep(),
      specials: [...this.specials].map(([offset, [priority, dueMs]]) => [offset, priority, dueMs]),
      committed: [...this.committed],
      work: [...this.work].map(([group, work]) => [group, work.keep()]),
    }
  }

  /** Takes note of what stored records mean: sequences, dedupe keys, priorities, due times. */
  applyBatch(batch: Buffer, dedupeKeysMax: number): void {
    // A copy gets the whole state from its owner at the end.
    if (this.role === 'copying') return
    this.producers.apply(batch)
    const base = baseOffsetAt(batch)
    const timeMs = timeAt(batch)
    eachRecord(batch, 0, (place) => {
      const offset = base + deltaAt(batch, place)
      if (batch.readUInt16LE(place + 12) > 0) {
        const key = dedupeKeyAt(batch, place) ?? ''
        this.dedupe.apply(key, offset, timeMs, this.spec.options.dedupeMs, dedupeKeysMax)
      }
      if (batch.readUInt16LE(place + 14) > 0) this.#addSpecial(offset, batch, place)
    })
  }

  #addSpecial(offset: number, batch: Buffer, place: number): void {
    const [priority, dueMs] = [priorityAt(batch, place), dueAt(batch, place)]
    this.specials.set(offset, [priority, dueMs])
    for (const work of this.work.values()) work.applySpecial(offset, priority, dueMs)
  }

  applyEvent(event: PartitionEvent): void {
    switch (event.type) {
      case 'own':
      case 'copy':
        this.spec = event.spec
        break
      case 'adopt':
        this.#take(event.state as KeptPartitionState)
        this.spec = event.spec
        this.role = 'owner'
        break
      case 'fence':
        this.role = 'fenced'
        break
      case 'resume':
        this.role = 'owner'
        this.spec = { ...this.spec, epoch: event.epoch }
        break
      case 'commit':
        this.#applyCommit(event)
        break
      case 'cancel':
        for (const work of this.work.values()) work.applyCancel(event.offset)
        break
      case 'purge':
        for (const work of this.work.values()) work.applyStart(event.offset)
        for (const offset of [...this.specials.keys()])
          if (offset < event.offset) this.specials.delete(offset)
        break
      default:
        this.#applyWork(event)
    }
  }

  #applyCommit(event: Extract<PartitionEvent, { type: 'commit' }>): void {
    const before = this.committed.get(event.group)
    const generation = Math.max(before?.generation ?? 0, event.generation)
    this.committed.set(event.group, { offset: event.offset, generation })
  }

  #applyWork(
    event: Extract<PartitionEvent, { type: 'work' | 'lease' | 'done' | 'back' | 'extend' }>,
  ): void {
    if (event.type === 'work') this.#openGroup(event.group, event.start)
    const work = this.work.get(event.group)
    if (!work || event.type === 'work') return
    if (event.type === 'lease')
      work.applyLease(event.cursor, event.runs, event.deadlineMs, event.aside, event.mark)
    else if (event.type === 'extend') work.applyExtend(event.runs, event.deadlineMs)
    else if (event.type === 'back') {
      work.applyBack(event.pairs)
      work.applyDead(event.dead, event.reason)
    } else {
      work.applyDone(event.runs)
      this.#forgetSpecials(event.runs)
    }
  }

  #openGroup(name: string, start: number): void {
    if (this.work.has(name)) return
    const group = new WorkGroup(start)
    for (const [offset, [priority, dueMs]] of this.specials)
      group.applySpecial(offset, priority, dueMs)
    this.work.set(name, group)
  }

  #forgetSpecials(runs: readonly number[]): void {
    if (this.specials.size === 0) return
    for (let at = 0; at + 1 < runs.length; at += 2)
      for (let offset = runs[at] ?? 0; offset <= (runs[at + 1] ?? -1); offset++) {
        const done = [...this.work.values()].every((work) => work.stateOf(offset).state === 'done')
        if (done) this.specials.delete(offset)
      }
  }
}
