import type { Clock } from '@drover/kernel'

/** What a line of progress is written to. */
interface Terminal {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Work that is over within this says nothing, in ms. */
const quietMs = 1_000
const everyMs = 100

/** How far a piece of work is, on one line of a terminal. */
export interface Bar {
  /** Tells how many bytes are done, of how many when that is known. */
  show(doneBytes: number, allBytes?: number): void
  /** Takes the line away. */
  clear(): void
}

/** Returns a line of progress for anything that takes over a second; silent where nobody reads it. */
export function createBar(what: string, terminal: Terminal, clock: Clock): Bar {
  const startMs = clock.monotonic()
  let shownMs = startMs + quietMs - everyMs
  let isShown = false
  return {
    show(done, all) {
      const nowMs = clock.monotonic()
      if (!terminal.isTTY || nowMs - shownMs < everyMs || nowMs - startMs < quietMs) return
      shownMs = nowMs
      isShown = true
      const speed = (done / 1e6 / ((nowMs - startMs) / 1_000)).toFixed(0)
      const share = all ? `${Math.floor((100 * done) / all)} %, ` : ''
      terminal.write(`\r\x1b[K${what}: ${share}${(done / 1e6).toFixed(0)} MB, ${speed} MB/s`)
    },
    clear() {
      if (isShown) terminal.write('\r\x1b[K')
      isShown = false
    },
  }
}
