/** How often deadlines are looked at, in ms: they pass at most this much too late. */
export const tickMs = 100

/**
 * Something that must not take for ever. Setting `deadlineMs` is all it costs: one coarse tick
 * looks at every member of the list, so that no timer is made per request.
 */
export abstract class Timed {
  /** In ms of `Deadlines.nowMs`; `Infinity` while nothing is awaited. */
  deadlineMs = Number.POSITIVE_INFINITY
  /** Links of the list; only `Deadlines` writes them. */
  previous: Timed | undefined = undefined
  next: Timed | undefined = undefined
  linked = false

  /** Called once the deadline has passed; `deadlineMs` is `Infinity` again by then. */
  abstract expire(): void
}

/** The list of everything that has deadlines. Adding and removing cost O(1), a tick O(members). */
export class Deadlines {
  /** Monotonic time of the last tick, in ms: at most `tickMs` old, and free to read. */
  nowMs: number
  #first: Timed | undefined
  #size = 0

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  get size(): number {
    return this.#size
  }

  /** When something that may take `timeoutMs` from now has to be done; 0 is without a bound. */
  in(timeoutMs: number): number {
    return timeoutMs === 0 ? Number.POSITIVE_INFINITY : this.nowMs + timeoutMs + tickMs
  }

  add(timed: Timed): void {
    if (timed.linked) return
    timed.linked = true
    timed.next = this.#first
    timed.previous = undefined
    if (this.#first) this.#first.previous = timed
    this.#first = timed
    this.#size++
  }

  remove(timed: Timed): void {
    if (!timed.linked) return
    timed.linked = false
    if (timed.previous) timed.previous.next = timed.next
    else this.#first = timed.next
    if (timed.next) timed.next.previous = timed.previous
    timed.previous = undefined
    timed.next = undefined
    this.#size--
  }

  /** Moves on to `nowMs` and expires what is due. An expiring member may remove itself or others. */
  tick(nowMs: number): void {
    this.nowMs = nowMs
    const due: Timed[] = []
    for (let timed = this.#first; timed; timed = timed.next)
      if (timed.deadlineMs <= nowMs) due.push(timed)
    for (const timed of due) {
      if (!timed.linked || timed.deadlineMs > nowMs) continue
      timed.deadlineMs = Number.POSITIVE_INFINITY
      timed.expire()
    }
  }
}
