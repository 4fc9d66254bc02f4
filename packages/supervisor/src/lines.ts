/** A line longer than this is kept as several, so that output without line ends needs no memory. */
export const lineBytesMax = 16_384

/** Cuts a stream of bytes into lines of text. */
export interface LineSplitter {
  /** Returns how many lines it ended. */
  push(chunk: Buffer): number
  /** Passes on what is left without a line end. */
  end(): void
}

/**
 * Returns a splitter that calls `onLine` without the line end (LF or CRLF). Cost: one copy of each
 * byte, none of lines that arrive whole; memory: at most `bytesMax`.
 */
export function createLineSplitter(
  onLine: (text: string) => void,
  bytesMax = lineBytesMax,
): LineSplitter {
  let rest: Buffer = Buffer.alloc(0)

  const takeLong = () => {
    while (rest.length > bytesMax) {
      const end = characterEnd(rest, bytesMax)
      onLine(rest.toString('utf8', 0, end))
      rest = rest.subarray(end)
    }
  }
  return {
    push(chunk) {
      let start = 0
      let count = 0
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, start)) {
        rest = join(rest, chunk.subarray(start, at))
        takeLong()
        onLine(withoutReturn(rest).toString('utf8'))
        rest = Buffer.alloc(0)
        start = at + 1
        count++
      }
      // Copied, because the stream may use the memory of its chunk again and a slice would keep it all.
      rest = Buffer.concat([rest, chunk.subarray(start)])
      takeLong()
      return count
    },
    end() {
      if (rest.length > 0) onLine(withoutReturn(rest).toString('utf8'))
      rest = Buffer.alloc(0)
    },
  }
}

function join(rest: Buffer, more: Buffer): Buffer {
  return rest.length === 0 ? more : Buffer.concat([rest, more])
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === 13 ? line.subarray(0, -1) : line
}

/** The last place at or before `most` where no UTF-8 character is cut in two. */
function characterEnd(bytes: Buffer, most: number): number {
  for (let end = most; end > most - 4; end--) {
    const next = bytes[end] ?? 0
    if ((next & 0b1100_0000) !== 0b1000_0000) return end
  }
  return most
}
