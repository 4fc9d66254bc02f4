import { fault } from '../errors.ts'
import type { Broker } from './broker.ts'
import { checkRoomForGroup } from './group-room.ts'

export interface CommitCall {
  readonly id: number
  readonly group: string
  readonly offset: number
  /** Without one the commit is unguarded, and may go back. */
  readonly generation?: number
}

/** Stores how far a group has come. Throws GENERATION_STALE and OFFSET_OUT_OF_RANGE. */
export async function commit(broker: Broker, call: CommitCall): Promise<void> {
  const { id, group, offset, generation } = call
  const { state, log } = broker.partition(id)
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > log.durable)
    throw fault('OFFSET_OUT_OF_RANGE', `offset ${offset}; the end is ${log.durable}`)
  const before = state.committed.get(group)
  if (!before) checkRoomForGroup(state.committed.size)
  if (generation !== undefined && before && generation < before.generation)
    throw fault(
      'GENERATION_STALE',
      `group ${group} is at generation ${before.generation}, not ${generation}`,
    )
  const next = generation === undefined ? offset : Math.max(offset, before?.offset ?? 0)
  await broker.event({ type: 'commit', id, group, offset: next, generation: generation ?? 0 })
}

/** Refuses commits of generations before this one from now on. Returns the committed offset. */
export async function fenceGroup(
  broker: Broker,
  { id, group, generation }: { id: number; group: string; generation: number },
): Promise<number | null> {
  const { committed } = broker.partition(id).state
  const before = committed.get(group)
  if (!before) checkRoomForGroup(committed.size)
  const offset = before?.offset ?? -1
  if ((before?.generation ?? 0) < generation)
    await broker.event({ type: 'commit', id, group, offset, generation })
  return offset < 0 ? null : offset
}

/** Returns the committed offset; nothing when the group has not committed. */
export function committed(broker: Broker, id: number, group: string): number | null {
  const offset = broker.partition(id).state.committed.get(group)?.offset ?? -1
  return offset < 0 ? null : offset
}

/** How far each group is behind in one partition. */
export function lag(broker: Broker, id: number) {
  const { state, log } = broker.partition(id)
  const now = broker.using.clock.now()
  const readers = [...state.committed]
    .filter(([, { offset }]) => offset >= 0)
    .map(([group, { offset }]) => {
      const from = Math.max(log.start, offset)
      return { group, kind: 'offsets' as const, offset: from, lag: log.durable - from }
    })
  const workers = [...state.work].map(([group, work]) => {
    const { ready, leased, delayed } = work.counts(log.durable, now)
    const offset = Math.max(log.start, work.floor)
    return { group, kind: 'work' as const, offset, lag: ready + leased + delayed }
  })
  return [...readers, ...workers]
}
