import type { Cancel, Clock } from '@drover/kernel'

interface Event {
  readonly dueMs: number
  readonly order: number
  readonly action: () => void
  isCancelled: boolean
}

/**
 * A clock that jumps from event to event: the time of the simulation. Unlike the kernel's manual
 * clock it lets no promise settle between events, so a run of a million events takes seconds; what is
 * simulated must do all its work in callbacks.
 */
export class SimulatedClock implements Clock {
  readonly #startMs: number
  readonly #heap: Event[] = []
  #elapsedMs = 0
  #order = 0

  constructor(startMs = 0) {
    this.#startMs = startMs
  }

  now(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, action: () => void): Cancel {
    const event = {
      dueMs: this.#elapsedMs + Math.max(0, delayMs),
      order: this.#order++,
      action,
      isCancelled: false,
    }
    this.#push(event)
    return () => {
      event.isCancelled = true
    }
  }

  every(intervalMs: number, action: () => void): Cancel {
    let cancel: Cancel = () => {}
    const again = () => {
      cancel = this.after(intervalMs, () => {
        again()
        action()
      })
    }
    again()
    return () => cancel()
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve)
    })
  }

  /** Runs every event that falls due in the next `byMs`. */
  run(byMs: number): void {
    const untilMs = this.#elapsedMs + byMs
    for (let next = this.#heap[0]; next && next.dueMs <= untilMs; next = this.#heap[0]) {
      this.#pop()
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs)
      if (!next.isCancelled) next.action()
    }
    this.#elapsedMs = untilMs
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, heap[parent] as Event)) break
      heap[at] = heap[parent] as Event
      at = parent
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Event
    if (heap.length === 0) return
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1]
      if (right && isBefore(right, heap[child] as Event)) child++
      if (!isBefore(heap[child] as Event, last)) break
      heap[at] = heap[child] as Event
      at = child
    }
    heap[at] = last
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order)
}
