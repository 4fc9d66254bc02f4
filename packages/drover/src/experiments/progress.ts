/** Says how far something long has come. */
export interface Progress {
  /** The next of the steps begins. */
  step(what: string): void
}

/** What one step is told as. */
export interface ProgressMessage {
  /** Counts from 1. */
  readonly step: number
  readonly steps: number
  readonly says: string
}

const barLetters = 24

/** Returns progress of `steps` steps that calls `tell` at the beginning of each. */
export function createProgress(steps: number, tell: (message: ProgressMessage) => void): Progress {
  let begun = 0
  return {
    step(says) {
      begun = Math.min(steps, begun + 1)
      tell({ step: begun, steps, says })
    },
  }
}

/** What progress is drawn on. */
interface Stream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/**
 * Returns what draws progress: one line that is written over on a terminal, or a line for each step
 * elsewhere. `clear` takes the line away.
 */
export function createProgressLine(stream: Stream) {
  return {
    show({ step, steps, says }: ProgressMessage): void {
      if (!stream.isTTY) {
        stream.write(`${step}/${steps} ${says}\n`)
        return
      }
      const full = Math.round(((step - 1) / steps) * barLetters)
      const bar = `${'█'.repeat(full)}${'░'.repeat(barLetters - full)}`
      stream.write(`\r\x1b[2K${bar} ${says}`)
    },
    clear(): void {
      if (stream.isTTY) stream.write('\r\x1b[2K')
    },
  }
}
