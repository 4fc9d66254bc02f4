/** Something that happened, in plain words, for the console, the log and `GET /v1/events`. */
export interface DroverEvent {
  /** Counts from 1 in each instance. */
  readonly id: number
  readonly atMs: number
  /** `notice` is worth a line on the console; `detail` is for those who look closely. */
  readonly level: 'detail' | 'notice' | 'warning'
  /** `part.noun.verb`, as `supervisor.replica.died`. */
  readonly kind: string
  readonly service?: string
  /** A replica's name. */
  readonly replica?: string
  readonly message: string
}

/** Events that are kept for those who come later; older ones are forgotten. */
const keptMax = 1_000

/** The instance's memory of what happened: the last thousand events, and who wants to hear more. */
export interface EventLog {
  record(event: Omit<DroverEvent, 'id' | 'atMs'>): void
  /** The kept events after `id`, oldest first; 0 for all. */
  since(id: number): readonly DroverEvent[]
  /** The last id given out; 0 before the first. */
  readonly lastId: number
  /** Calls `listener` for each new event until the returned function is called. */
  follow(listener: (event: DroverEvent) => void): () => void
}

/** Returns an empty event log; `now` gives wall time in ms. */
export function createEventLog(now: () => number): EventLog {
  const kept: DroverEvent[] = []
  const listeners = new Set<(event: DroverEvent) => void>()
  let lastId = 0
  return {
    record(what) {
      const event = { id: ++lastId, atMs: now(), ...what }
      kept.push(event)
      if (kept.length > keptMax) kept.shift()
      for (const listener of listeners) listener(event)
    },
    since: (id) => kept.filter((event) => event.id > id),
    get lastId() {
      return lastId
    },
    follow(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
