/** Says how far something long has come. */
export interface Progress {
  /** The next of the steps begins. */
  step(what: string): void
  done(): void
}

const barLetters = 24

/**
 * Returns progress of `steps` steps on `stream`: one line that is written over on a terminal, or a line
 * for each step elsewhere.
 */
export function createProgress(steps: number, stream: NodeJS.WriteStream): Progress {
  let begun = 0
  return {
    step(what) {
      begun = Math.min(steps, begun + 1)
      if (!stream.isTTY) {
        stream.write(`${begun}/${steps} ${what}\n`)
        return
      }
      const full = Math.round(((begun - 1) / steps) * barLetters)
      const bar = `${'█'.repeat(full)}${'░'.repeat(barLetters - full)}`
      stream.write(`\r\x1b[2K${bar} ${what}`)
    },
    done() {
      if (stream.isTTY) stream.write('\r\x1b[2K')
    },
  }
}
