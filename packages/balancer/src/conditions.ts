/** Lets callers wait until something holds, asked again whenever anything changed. */
export class Conditions {
  readonly #waiting = new Set<() => void>()

  /** Asks everybody who waits again. */
  changed(): void {
    for (const ask of [...this.#waiting]) ask()
  }

  /**
   * Resolves when `holds` answers true; rejects with what it throws, or with the signal's reason
   * when that aborts first.
   */
  until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (how: () => void): void => {
        this.#waiting.delete(ask)
        signal.removeEventListener('abort', ask)
        how()
      }
      const ask = (): void => {
        try {
          if (holds()) end(resolve)
          else if (signal.aborted) end(() => reject(signal.reason))
        } catch (error) {
          end(() => reject(error))
        }
      }
      this.#waiting.add(ask)
      signal.addEventListener('abort', ask, { once: true })
      ask()
    })
  }
}
