import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'

/** Waits for one partition each; a wait for several counts as many. Each costs some 100 bytes. */
const waitsMax = 200_000

/** Those who wait for something to happen in a partition. */
export class Waiters {
  readonly #clock: Clock
  readonly #waiting = new Map<number, Set<() => void>>()
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Something happened in partition `id`. */
  wake(id: number): void {
    for (const wake of [...(this.#waiting.get(id) ?? [])]) wake()
  }

  wakeAll(): void {
    for (const id of [...this.#waiting.keys()]) this.wake(id)
  }

  /**
   * Resolves when something happened in one of `ids`, or after `waitMs`; rejects with the signal's
   * reason. Throws BROKER_BUSY when too many wait.
   */
  wait(ids: readonly number[], waitMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      if (this.#count + ids.length > waitsMax)
        throw fault('BROKER_BUSY', `${this.#count} waits are going on already`)
      this.#count += ids.length
      const leave = () => {
        cancel()
        signal?.removeEventListener('abort', stop)
        this.#count -= ids.length
        for (const id of ids) this.#remove(id, wake)
      }
      const wake = () => {
        leave()
        resolve()
      }
      const stop = () => {
        leave()
        reject(signal?.reason)
      }
      const cancel = this.#clock.after(waitMs, wake)
      signal?.addEventListener('abort', stop, { once: true })
      for (const id of ids) {
        const set = this.#waiting.get(id) ?? new Set()
        this.#waiting.set(id, set.add(wake))
      }
    })
  }

  #remove(id: number, wake: () => void): void {
    const set = this.#waiting.get(id)
    set?.delete(wake)
    if (set?.size === 0) this.#waiting.delete(id)
  }
}
