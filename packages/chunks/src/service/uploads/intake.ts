import type { Readable } from 'node:stream'
import type { Cancel, Clock } from '@drover/kernel'
import { fault } from '../../errors.ts'
import { watchPace } from '../pace.ts'
import { sweepYoung } from '../sweep.ts'

const blockBytes = 2 ** 20

/** Blocks that are not used now: a part of a few MiB would cost their page faults each time. */
const spare: Buffer[] = []
const spareMax = 8

/**
 * Takes a stream in blocks of 1 MiB: one is filled while the other is written. The stream itself is
 * never destroyed: a connection must outlive the refusal of its upload, so that the reason can be
 * answered. When the stream breaks or crawls, UPLOAD_INVALID is thrown after what had come until then.
 */
export class Intake {
  readonly #stream: Readable
  readonly #free: Buffer[] = [takeSpare()]
  readonly #ready: { readonly block: Buffer; readonly bytes: number }[] = []
  #filling: Buffer | undefined = takeSpare()
  #used = 0
  /** What came when no block was free. */
  #rest: Buffer | undefined
  #held: Buffer | undefined
  #isOver = false
  #broken: unknown
  #wake = () => {}
  readonly #unwatch: Cancel
  #bytes = 0

  constructor(stream: Readable, clock: Clock) {
    this.#stream = stream
    const gone = (cause?: unknown) =>
      this.end(fault('UPLOAD_INVALID', 'the client went away half-way', { cause }))
    // Of a connection only; a stream that unpacks has a reason of its own.
    const broken = (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? gone(error) : this.end(error)
    this.#unwatch = watchPace(
      clock,
      () => ({ bytes: this.#bytes, isOurs: this.#rest !== undefined }),
      () => this.end(fault('UPLOAD_INVALID', 'the upload came too slowly')),
    )
    // The listener for errors stays: without one, a late error of the connection would end the process.
    stream.on('error', broken).once('aborted', gone).once('close', gone)
    stream.once('end', () => this.end(undefined))
    if (stream.destroyed && !stream.readableEnded) gone()
    else stream.on('data', this.#take)
  }

  /** Ends the intake; `broken` is thrown after the blocks that are there. Later calls do nothing. */
  end(broken: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#broken = broken
    this.#unwatch()
    this.#stream.off('data', this.#take)
    this.#stream.pause()
    this.#wake()
  }

  /** Yields the blocks; each is good until the next. */
  async *blocks(): AsyncGenerator<Buffer> {
    try {
      for (let block = await this.#next(); block; block = await this.#next()) yield block
    } finally {
      this.end(fault('UPLOAD_INVALID', 'the upload was refused'))
      this.#giveBack()
    }
  }

  /** Nobody reads or fills the blocks any more. */
  #giveBack(): void {
    const blocks = [
      this.#filling,
      this.#held,
      ...this.#free,
      ...this.#ready.map(({ block }) => block),
    ]
    this.#filling = undefined
    for (const block of blocks) if (block && spare.length < spareMax) spare.push(block)
  }

  readonly #take = (part: Buffer) => {
    this.#bytes += part.length
    sweepYoung(part.length)
    this.#put(part)
  }

  #put(part: Buffer): void {
    for (let from = 0; from < part.length; ) {
      if (!this.#filling) {
        this.#rest = part.subarray(from)
        this.#stream.pause()
        return
      }
      const count = part.copy(this.#filling, this.#used, from)
      this.#used += count
      from += count
      if (this.#used === blockBytes) this.#finish()
    }
  }

  #finish(): void {
    if (!this.#filling) return
    this.#ready.push({ block: this.#filling, bytes: this.#used })
    this.#filling = this.#free.pop()
    this.#used = 0
    this.#wake()
  }

  async #next(): Promise<Buffer | undefined> {
    this.#release()
    if (this.#ready.length === 0 && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    if (this.#ready.length === 0 && this.#used > 0) this.#finish()
    const found = this.#ready.shift()
    if (!found) {
      if (this.#broken !== undefined) throw this.#broken
      return undefined
    }
    this.#held = found.block
    return found.block.subarray(0, found.bytes)
  }

  /** The block that was given out is free again: what waited for one goes in. */
  #release(): void {
    if (!this.#held) return
    if (this.#filling) this.#free.push(this.#held)
    else this.#filling = this.#held
    this.#held = undefined
    const rest = this.#rest
    if (!rest) return
    this.#rest = undefined
    this.#put(rest)
    if (!this.#rest && !this.#isOver) this.#stream.resume()
  }
}

function takeSpare(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
}
