import { admin, type InstanceEvent, type Part, type Status } from '../client/admin.ts'
import { call, send } from '../client/call.ts'
import { follow } from '../client/follow.ts'
import { describe } from '../client/problem.ts'
import { isLockedOut } from '../client/session.ts'
import { now } from '../clock.ts'
import { gatherMs, readingMs, readingsMax } from '../options.ts'
import { type Counters, readCounters } from './counters.ts'
import { type EventList, noEvents, withEvents } from './event-list.ts'
import { compare, type Reading } from './readings.ts'
import { createStore } from './store.ts'

/** How the page and the instance stand. */
export type Connection = 'connecting' | 'live' | 'lost'

/** What the page knows of the instance; every view draws from these. */
export const connection = createStore<Connection>('connecting')
export const status = createStore<Status | undefined>(undefined)
export const parts = createStore<readonly Part[]>([])
export const eventList = createStore<EventList>(noEvents)
export const readings = createStore<ReadonlyMap<string, readonly Reading[]>>(new Map())
/** Why nothing is known, in words. */
export const lostBecause = createStore<string>('')
/** Wall time in ms, for "3 s ago"; moves with each reading. */
export const clock = createStore(now())

/**
 * Keeps the stores above in step with the instance until the returned function is called:
 *
 *   events ─ stream ─▶ eventList, and the state is read anew
 *   every 2 s ───────▶ status, readings
 *   another run of the instance ─▶ everything from the beginning
 */
export function watchInstance(): () => void {
  let stopEvents = followEvents()
  let gathering: ReturnType<typeof setTimeout> | undefined
  let last: { readonly counters: Counters; readonly atMs: number } | undefined

  let isReading = false
  const read = async (): Promise<void> => {
    isReading = true
    try {
      const [seen] = await Promise.all([admin('GET /v1/status'), readParts(), readMetrics()])
      const before = status.value
      if (before && !isSameRun(before, seen)) startOver()
      status.set(seen)
      connection.set('live')
    } catch (problem) {
      lostBecause.set(describe(problem))
      connection.set('lost')
    }
    isReading = false
    clock.set(now())
  }
  const readMetrics = async (): Promise<void> => {
    const counters = readCounters(await (await send('GET', '/metrics')).text())
    const atMs = now()
    if (last && atMs - last.atMs < readingMs / 2) return
    if (last) addReadings(compare(last.counters, counters, atMs, (atMs - last.atMs) / 1_000))
    last = { counters, atMs }
  }
  /** Ids of events begin anew with each run, and so do the counters. */
  const startOver = (): void => {
    stopEvents()
    last = undefined
    eventList.set(noEvents)
    stopEvents = followEvents()
  }
  const readSoon = (): void => {
    gathering ??= setTimeout(() => {
      gathering = undefined
      void read()
    }, gatherMs)
  }

  void read()
  // A slow instance is not asked again before it has answered.
  const timer = setInterval(() => document.hidden || isReading || void read(), readingMs)
  const unfollow = eventList.follow(readSoon)
  document.addEventListener('visibilitychange', readSoon)
  return () => {
    clearInterval(timer)
    clearTimeout(gathering)
    unfollow()
    stopEvents()
    document.removeEventListener('visibilitychange', readSoon)
  }
}

function isSameRun(one: Status, other: Status): boolean {
  return one.pid === other.pid && one.startedAtMs === other.startedAtMs
}

/** An instance without parts is one of an older make, or has none. */
async function readParts(): Promise<void> {
  const found = await call<Part[]>('GET', '/v1/parts')
  if (JSON.stringify(found) !== JSON.stringify(parts.value)) parts.set(found)
}

function addReadings(found: ReadonlyMap<string, Reading>): void {
  const kept = [...found].map(([service, reading]): [string, readonly Reading[]] => [
    service,
    [...(readings.value.get(service) ?? []), reading].slice(-readingsMax),
  ])
  readings.set(new Map(kept))
}

function followEvents(): () => void {
  return follow({
    target: () => ({
      path: '/v1/events',
      headers: { 'last-event-id': String(eventList.value.lastId) },
    }),
    onEvent: ({ data }) =>
      eventList.set(withEvents(eventList.value, [JSON.parse(data) as InstanceEvent])),
    onLost: (problem) => {
      if (!isLockedOut.value && problem !== undefined) lostBecause.set(describe(problem))
    },
  })
}
