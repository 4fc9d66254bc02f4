/**
 * The order in which requests are worked on: the one thing that the service shares. Each id is handed
 * out until `done` or `remove` was called for it, also after a crash.
 */
export interface RequestQueue {
  /** Adds an id at the end; one that is there already stays where it is. */
  add(id: string): Promise<void>
  /** Resolves to the next id; rejects when the signal aborts. */
  take(signal: AbortSignal): Promise<string>
  done(id: string): Promise<void>
  remove(id: string): Promise<void>
  close(): Promise<void>
}

/** The queue in memory: what is on disk is the requests themselves, which are added anew at the start. */
export class MemoryRequestQueue implements RequestQueue {
  readonly #waiting = new Set<string>()
  readonly #takers: ((id: string) => void)[] = []

  async add(id: string): Promise<void> {
    const taker = this.#takers.shift()
    if (taker) taker(id)
    else this.#waiting.add(id)
  }

  take(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    const [id] = this.#waiting
    if (id !== undefined) {
      this.#waiting.delete(id)
      return Promise.resolve(id)
    }
    return new Promise((resolve, reject) => {
      this.#takers.push(resolve)
      signal.addEventListener(
        'abort',
        () => {
          const index = this.#takers.indexOf(resolve)
          if (index >= 0) this.#takers.splice(index, 1)
          reject(signal.reason)
        },
        { once: true },
      )
    })
  }

  async done(): Promise<void> {}

  async remove(id: string): Promise<void> {
    this.#waiting.delete(id)
  }

  async close(): Promise<void> {}
}
