/** Bytes of one read at most. */
const readBytes = 65_536
/** A read as long as this is part of a large body: the next ones get a buffer of their own. */
const largeBytes = 32_768
/** A read as short as this ends it. */
const smallBytes = 8_192
/** Buffers that wait for their next large body: at most 16 MiB. */
const pooledMax = 256

/** A buffer that can be kept beyond the read that filled it, until everything in it is written. */
interface OwnedBuffer extends Buffer {
  /** Writes that still need it. */
  holds?: number
}

/**
 * Every plain socket of the process reads into this one buffer as long as what it reads is short:
 * a read is handled to its end before the next one starts, and whoever keeps bytes copies them.
 * Without it node allocates 64 KiB for each read. See docs/decisions/0003.
 */
const shared: Buffer = Buffer.allocUnsafeSlow(readBytes)

const pool: OwnedBuffer[] = []

/** Returns a function that gives up the hold, or undefined when `bytes` must be copied to be kept. */
export function hold(bytes: Buffer): (() => void) | undefined {
  const owned = bytes as OwnedBuffer
  if (owned.holds === undefined) return undefined
  owned.holds++
  return () => release(owned)
}

function release(owned: OwnedBuffer): void {
  owned.holds = (owned.holds ?? 1) - 1
  if (owned.holds === 0) giveBack(owned)
}

function giveBack(owned: OwnedBuffer): void {
  if (pool.length < pooledMax) pool.push(owned)
}

function takeOwned(): OwnedBuffer {
  const owned = pool.pop() ?? (Buffer.allocUnsafeSlow(readBytes) as OwnedBuffer)
  owned.holds = 0
  return owned
}

/**
 * Chooses the buffer of a socket's next read. Short reads share one buffer. In a large body each
 * read fills a buffer of the socket's own, which goes on to the other side without being copied.
 */
export class ReadBuffers {
  #current: OwnedBuffer | undefined
  #length = 0

  /** Notes how long the read was that is being handled. */
  filled(length: number): void {
    this.#length = length
  }

  /** The buffer for the next read; undefined to go on with the present one. */
  next(): Buffer | undefined {
    const current = this.#current
    if (current === undefined) {
      if (this.#length < largeBytes) return this.#length === 0 ? shared : undefined
      this.#current = takeOwned()
      return this.#current
    }
    const kept = current.holds !== 0
    if (this.#length > smallBytes) {
      if (!kept) return undefined
      this.#current = takeOwned()
      return this.#current
    }
    if (!kept) giveBack(current)
    this.#current = undefined
    return shared
  }
}
