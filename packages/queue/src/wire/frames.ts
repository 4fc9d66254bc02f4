import { fault } from '../errors.ts'

/**
 * One frame of the binary protocol; drawn in docs/formats/queue-protocol.md. Little-endian.
 *
 *    0  u32  bytes of the whole frame
 *    4  u8   version, 1
 *    5  u8   kind: 0 request, 1 answer, 2 fault, 3 "give the request up"
 *    6  u16  0
 *    8  u32  number of the request within its connection
 *   12  u32  bytes of JSON
 *   16  JSON (request: [method, params]; answer: result; fault: problem), then batches as on disk
 */
const frameHeaderBytes = 16
const frameVersion = 1
/** So much room is made for a frame at once; for a longer one as its bytes come, not as it claims. */
const roomBytes = 1_048_576
export const frameKinds = { request: 0, answer: 1, fault: 2, cancel: 3 } as const

export interface Frame {
  readonly kind: number
  readonly number: number
  readonly json: unknown
  readonly bytes: Buffer
}

/** Returns the first part of a frame; `parts` follow it on the wire as they are. */
export function frameHead(
  kind: number,
  number: number,
  json: unknown,
  parts: readonly Buffer[],
): Buffer {
  const text = JSON.stringify(json ?? null)
  const jsonBytes = Buffer.byteLength(text)
  const head = Buffer.allocUnsafe(frameHeaderBytes + jsonBytes)
  let total = head.length
  for (const part of parts) total += part.length
  head.writeUInt32LE(total, 0)
  head[4] = frameVersion
  head[5] = kind
  head.writeUInt16LE(0, 6)
  head.writeUInt32LE(number, 8)
  head.writeUInt32LE(jsonBytes, 12)
  head.write(text, frameHeaderBytes)
  return head
}

/**
 * Puts the chunks of a connection together to frames. A frame that lies in one chunk is not copied;
 * one that spans several is copied once, and again for each doubling beyond 1 MiB.
 */
export class FrameReader {
  readonly #bytesMax: number
  readonly #visit: (frame: Frame) => void
  /** The beginning of a frame whose length is not known yet, or the frame being filled. */
  #rest: Buffer = Buffer.alloc(0)
  #filled = 0
  #size = 0
  /** Frames that were visited. */
  count = 0

  constructor(bytesMax: number, visit: (frame: Frame) => void) {
    this.#bytesMax = bytesMax
    this.#visit = visit
  }

  /** Holds when a frame has begun and is not whole. */
  get isWithinFrame(): boolean {
    return this.#rest.length > 0
  }

  /** Throws FRAME_INVALID for what is no frame; the connection must then be closed. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) at += this.#size > 0 ? this.#fill(chunk, at) : this.#begin(chunk, at)
  }

  /** Takes bytes into the frame that is being filled; returns how many. */
  #fill(chunk: Buffer, at: number): number {
    const count = Math.min(this.#size - this.#filled, chunk.length - at)
    if (this.#filled + count > this.#rest.length)
      this.#grow(Math.max(2 * this.#rest.length, this.#filled + count))
    chunk.copy(this.#rest, this.#filled, at, at + count)
    this.#filled += count
    if (this.#filled < this.#size) return count
    const frame = this.#rest
    this.#rest = Buffer.alloc(0)
    this.#filled = this.#size = 0
    this.#take(frame)
    return count
  }

  #grow(bytes: number): void {
    const before = this.#rest
    this.#rest = Buffer.allocUnsafeSlow(Math.min(this.#size, bytes))
    before.copy(this.#rest)
  }

  #take(frame: Buffer): void {
    this.count++
    this.#visit(parseFrame(frame))
  }

  #begin(chunk: Buffer, at: number): number {
    const head =
      this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk.subarray(at, at + 4)]) : chunk
    const start = head === chunk ? at : 0
    if (head.length - start < 4) {
      this.#rest = Buffer.from(head.subarray(start))
      return chunk.length - at
    }
    const size = head.readUInt32LE(start)
    if (size < frameHeaderBytes || size > this.#bytesMax)
      throw fault('FRAME_INVALID', `a frame of ${size} bytes; the limit is ${this.#bytesMax}`)
    if (head === chunk && at + size <= chunk.length) {
      this.#take(chunk.subarray(at, at + size))
      return size
    }
    this.#filled = this.#rest.length
    this.#size = size
    this.#grow(roomBytes)
    return 0
  }
}

function parseFrame(frame: Buffer): Frame {
  const jsonBytes = frame.readUInt32LE(12)
  if (frame[4] !== frameVersion) throw fault('FRAME_INVALID', `a frame of version ${frame[4]}`)
  if (frameHeaderBytes + jsonBytes > frame.length)
    throw fault('FRAME_INVALID', 'the lengths of a frame do not fit')
  const text = frame.toString('utf8', frameHeaderBytes, frameHeaderBytes + jsonBytes)
  let json: unknown
  try {
    json = text === '' ? undefined : JSON.parse(text)
  } catch (cause) {
    throw fault('FRAME_INVALID', 'the JSON of a frame cannot be read', { cause })
  }
  const bytes = frame.subarray(frameHeaderBytes + jsonBytes)
  return { kind: frame[5] ?? 255, number: frame.readUInt32LE(8), json, bytes }
}
