import type { Socket } from 'node:net'
import { hold } from './read-buffers.ts'

/** Text that fits in one packet burst is gathered up to this length before it is written. */
const gatherBytes = 16_384
/** Bytes up to this length are gathered as text; longer runs are written by themselves. */
const smallBytes = 8_192

/**
 * What is to be sent on one socket: heads and small bodies are gathered into one write (two
 * writes instead of one cost a quarter more CPU), large pieces go out beside them by writev.
 */
export class Outbox {
  readonly #socket: Socket
  #text = ''
  #corked = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Adds latin1 text. */
  text(text: string): void {
    this.#text = this.#text === '' ? text : this.#text + text
    if (this.#text.length > gatherBytes) this.#writeText()
  }

  /** Adds `bytes[from..to)`, which the caller only lends: they are held or copied. */
  bytes(bytes: Buffer, from: number, to: number): void {
    if (to - from <= smallBytes) {
      this.text(bytes.toString('latin1', from, to))
      return
    }
    this.#writeText()
    const release = hold(bytes)
    if (release) {
      this.#socket.write(bytes.subarray(from, to), release)
      return
    }
    const copy = Buffer.allocUnsafeSlow(to - from)
    bytes.copy(copy, 0, from, to)
    this.#socket.write(copy)
  }

  /** Sends what was gathered. Returns false when the peer is slow: wait for `drain`. */
  flush(): boolean {
    if (this.#text !== '') {
      const text = this.#text
      this.#text = ''
      this.#socket.write(text, 'latin1')
    }
    if (this.#corked) {
      this.#corked = false
      this.#socket.uncork()
    }
    return !this.#socket.writableNeedDrain
  }

  /** Puts the text before what is written next, in one system call with it. */
  #writeText(): void {
    if (this.#text === '') return
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
    }
    const text = this.#text
    this.#text = ''
    this.#socket.write(text, 'latin1')
  }
}
