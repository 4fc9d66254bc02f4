import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import { assign } from './assign.ts'

interface Member {
  readonly sessionMs: number
  heardMs: number
}

interface Group {
  readonly topic: string
  readonly name: string
  generation: number
  readonly members: Map<string, Member>
  /** Who reads a partition now; given up only when that reader has been told, or is gone. */
  readonly owners: Map<number, string>
  /** Partitions whose commits were closed to all generations before `generation`. */
  readonly fenced: Map<number, number>
}

/** What a member may read. */
export interface Share {
  readonly generation: number
  readonly partitions: readonly number[]
}

export interface ReaderGroupsOptions {
  readonly clock: Clock
  readonly partitionsOf: (topic: string) => number
  /** The last generation of a group, from before a restart. */
  readonly lastGeneration: (group: string) => number
  readonly saveGeneration: (group: string, generation: number) => Promise<void>
  /** Refuses commits of older generations at the partition's broker. */
  readonly fence: (
    topic: string,
    partition: number,
    group: string,
    generation: number,
  ) => Promise<void>
}

/** Groups for a topic and members for a group, at the most. */
const membersMax = 1_000
const groupsMax = 10_000

/**
 * Who reads which partition in which group. Only members are kept here, in memory: after a restart
 * they join again, and their generation goes on from the one in the log. A partition goes from one
 * reader to the next in two steps, so that no two believe it is theirs:
 *
 *   new shares ─▶ old reader's heartbeat answers without it ─▶ fenced ─▶ new reader's heartbeat has it
 */
export class ReaderGroups {
  readonly #with: ReaderGroupsOptions
  readonly #groups = new Map<string, Group>()

  constructor(using: ReaderGroupsOptions) {
    this.#with = using
  }

  /** Enters a member, or hears it again. */
  async join(topic: string, name: string, member: string, sessionMs: number): Promise<Share> {
    const group = this.#open(topic, name)
    const known = group.members.get(member)
    if (!known && group.members.size >= membersMax)
      throw fault('OPTION_INVALID', `group ${name} has ${membersMax} members already`)
    group.members.set(member, { sessionMs, heardMs: this.#with.clock.monotonic() })
    if (!known) await this.#raise(group)
    return this.#share(group, member)
  }

  /** Throws MEMBER_UNKNOWN. */
  async heartbeat(topic: string, name: string, member: string): Promise<Share> {
    const group = this.#groups.get(keyOf(topic, name))
    const known = group?.members.get(member)
    if (!group || !known)
      throw fault('MEMBER_UNKNOWN', `group ${name} of ${topic} has no member ${member}`)
    known.heardMs = this.#with.clock.monotonic()
    return this.#share(group, member)
  }

  async leave(topic: string, name: string, member: string): Promise<void> {
    const group = this.#groups.get(keyOf(topic, name))
    if (group?.members.has(member)) await this.#remove(group, member)
  }

  /** Throws GENERATION_STALE unless the partition is this member's. */
  check(topic: string, name: string, member: string, partition: number): void {
    const group = this.#groups.get(keyOf(topic, name))
    if (group?.owners.get(partition) !== member)
      throw fault('GENERATION_STALE', `partition ${partition} is not ${member}'s any more`)
  }

  members(topic: string, name: string): number {
    return this.#groups.get(keyOf(topic, name))?.members.size ?? 0
  }

  /** Removes members that were silent for longer than their session. */
  async sweep(): Promise<void> {
    const now = this.#with.clock.monotonic()
    for (const group of this.#groups.values())
      for (const [member, { heardMs, sessionMs }] of [...group.members])
        if (now - heardMs > sessionMs) await this.#remove(group, member)
  }

  forgetTopic(topic: string): void {
    for (const [key, group] of this.#groups) if (group.topic === topic) this.#groups.delete(key)
  }

  #open(topic: string, name: string): Group {
    const key = keyOf(topic, name)
    const known = this.#groups.get(key)
    if (known) return known
    if (this.#groups.size >= groupsMax)
      throw fault('OPTION_INVALID', `there are ${groupsMax} groups already`)
    const generation = this.#with.lastGeneration(key)
    const maps = { members: new Map(), owners: new Map(), fenced: new Map() }
    const group: Group = { topic, name, generation, ...maps }
    this.#groups.set(key, group)
    return group
  }

  async #remove(group: Group, member: string): Promise<void> {
    group.members.delete(member)
    for (const [partition, owner] of group.owners)
      if (owner === member) group.owners.delete(partition)
    if (group.members.size === 0) this.#groups.delete(keyOf(group.topic, group.name))
    await this.#raise(group)
  }

  async #raise(group: Group): Promise<void> {
    group.generation++
    await this.#with.saveGeneration(keyOf(group.topic, group.name), group.generation)
  }

  /** Takes from the member what is to go elsewhere, and gives it what is its own and free. */
  async #share(group: Group, member: string): Promise<Share> {
    const count = this.#with.partitionsOf(group.topic)
    const partitions = Array.from({ length: count }, (_, index) => index)
    const wanted = assign(partitions, [...group.members.keys()].sort(), group.owners)
    for (const partition of partitions) {
      const owner = group.owners.get(partition)
      if (owner === member && wanted.get(partition) !== member) group.owners.delete(partition)
      if (owner === undefined && wanted.get(partition) === member) {
        group.owners.set(partition, member)
        await this.#fence(group, partition)
      }
    }
    const own = partitions.filter((one) => group.owners.get(one) === member)
    return { generation: group.generation, partitions: own }
  }

  async #fence(group: Group, partition: number): Promise<void> {
    if (group.fenced.get(partition) === group.generation) return
    const { generation } = group
    try {
      await this.#with.fence(group.topic, partition, group.name, generation)
      group.fenced.set(partition, generation)
    } catch (error) {
      group.owners.delete(partition)
      throw error
    }
  }
}

function keyOf(topic: string, group: string): string {
  return `${topic}/${group}`
}
