/**
 * Slots whose records a neighbour must still get, in the order in which they became news. A record
 * is read only when it is sent, so a client that moves while its slot waits is sent once, newest.
 * That bounds the queue by the number of clients, and `sizeMax` bounds it further.
 */
export class Outbox {
  readonly #slots = new Set<number>()
  readonly #sizeMax: number
  #added = 0
  #taken = 0

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  get size(): number {
    return this.#slots.size
  }

  /** A place in the queue: what is in it now has been sent when `taken` reaches this. */
  get added(): number {
    return this.#added
  }

  get taken(): number {
    return this.#taken
  }

  /** Enters a slot unless it waits already; false when the queue is full. */
  add(slot: number): boolean {
    if (this.#slots.has(slot)) return true
    if (this.#slots.size >= this.#sizeMax) return false
    this.#slots.add(slot)
    this.#added++
    return true
  }

  /** Takes the slots one after another, oldest first. Stop iterating to leave the rest. */
  *take(): IterableIterator<number> {
    for (const slot of this.#slots) {
      this.#slots.delete(slot)
      this.#taken++
      yield slot
    }
  }

  /** Empties the queue and returns what was in it. */
  clear(): number[] {
    return [...this.take()]
  }
}
