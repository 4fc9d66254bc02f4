import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { turns, until } from '../until.ts'
import { type Message, readAnswer } from './messages.ts'

/** One end of a TCP connection that records every byte it gets. */
export class Peer {
  readonly socket: Socket
  /** The other end will send no more. */
  ended = false
  closed = false
  /** The connection was reset. */
  reset = false
  /** How many bytes were received. */
  length = 0
  #room: Buffer = Buffer.alloc(1_024)
  #taken = 0
  readonly #listeners: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (piece: Buffer) => {
      this.#keep(piece)
      for (const listener of this.#listeners) listener()
    })
    socket.on('end', () => {
      this.ended = true
      for (const listener of this.#listeners) listener()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.reset ||= error.code === 'ECONNRESET'
    })
    socket.on('close', () => {
      this.closed = true
    })
  }

  /** Everything received. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.length)
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  /** Room grows by doubling, so that looking at a large body while it comes stays cheap. */
  #keep(piece: Buffer): void {
    const length = this.length + piece.length
    if (length > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(2 * length)
      this.#room.copy(larger, 0, 0, this.length)
      this.#room = larger
    }
    piece.copy(this.#room, this.length)
    this.length = length
  }

  /** Calls `listener` whenever something was received or the other end ended. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  send(data: string | Buffer): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
  }

  /** Sends byte for byte, each as a packet of its own, until the other end has had enough. */
  async sendSlowly(data: string): Promise<void> {
    for (const byte of Buffer.from(data, 'latin1')) {
      if (this.ended || this.closed) return
      this.socket.write(Buffer.of(byte))
      await turns(2)
    }
  }

  /** The next answer on this connection, read as the answer to `method`. */
  async answer(method = 'GET'): Promise<Message> {
    let message: Message | undefined
    const from = this.#taken
    await until(
      `an answer behind ${from} bytes of ${this.bytes.toString('latin1', 0, 300)}`,
      () => {
        message = readAnswer(this.bytes, from, method, this.ended || this.closed)
        return message ?? (this.closed || this.ended)
      },
    )
    if (!message)
      throw new Error(`closed within an answer: ${this.bytes.toString('latin1', from, from + 300)}`)
    this.#taken = message.end
    return message
  }

  async untilEnded(): Promise<void> {
    await until('the end of the connection', () => this.ended || this.closed)
  }

  async untilText(part: string): Promise<void> {
    await until(`${JSON.stringify(part)} in ${this.text}`, () => this.text.includes(part))
  }
}

/** Connects to `port` and records; closed when the test ends. */
export async function openClient(t: TestContext, port: number): Promise<Peer> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const peer = new Peer(socket)
  t.after(() => socket.destroy())
  await until('a connection', () => !socket.connecting)
  return peer
}
