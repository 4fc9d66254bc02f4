import type { LogLine } from '../spec.ts'

const headerBytes = 8

/**
 * Takes apart the stream that a container engine sends for both outputs of a container:
 *
 *    0        1   2   3   4                  8
 *   +--------+-----------+------------------+---------------------+
 *   | stream |  0  0  0  |  length, 32 bits |  `length` bytes ... |
 *   +--------+-----------+------------------+---------------------+
 *
 * with stream 1 for standard output and 2 for standard error, the length in network byte order.
 * Returns a function that takes the next bytes and passes payloads on as they come, so that nothing
 * but a cut header is kept; it returns the sum of what `onPayload` returned.
 */
export function createFrameReader(
  onPayload: (stream: LogLine['stream'], payload: Buffer) => number,
): (bytes: Buffer) => number {
  let header = Buffer.alloc(0)
  let stream: LogLine['stream'] = 'stdout'
  let leftBytes = 0

  return (bytes) => {
    let rest = bytes
    let sum = 0
    while (rest.length > 0) {
      if (leftBytes > 0) {
        const payload = rest.subarray(0, leftBytes)
        rest = rest.subarray(payload.length)
        leftBytes -= payload.length
        sum += onPayload(stream, payload)
        continue
      }
      const missing = headerBytes - header.length
      header = Buffer.concat([header, rest.subarray(0, missing)])
      rest = rest.subarray(missing)
      if (header.length < headerBytes) break
      stream = header[0] === 2 ? 'stderr' : 'stdout'
      leftBytes = header.readUInt32BE(4)
      header = Buffer.alloc(0)
    }
    return sum
  }
}
