import { connect, type Socket } from 'node:net'
import { type Cancel, type Clock, type Fault, fromProblem, parseAddress } from '@drover/kernel'
import { fault } from '../errors.ts'
import { timeDefaults } from '../options.ts'
import { type Frame, FrameReader, frameHead, frameKinds } from './frames.ts'
import type { CallOptions, Link, Reply } from './link.ts'

/** Answers may carry a whole fetch. */
const answerBytesMax = 67_108_864
const connectMs = 5_000

interface Pending {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: unknown) => void
}

/** Returns a link over one TCP connection, made on the first call and again after it broke. */
export function createTcpLink(address: string, clock: Clock): Link {
  return new TcpLink(address, clock)
}

class TcpLink implements Link {
  readonly #address: string
  readonly #clock: Clock
  readonly #pending = new Map<number, Pending>()
  #socket: Socket | undefined
  #number = 0
  /** What the other side said about the connection before it closed it. */
  #farewell: Fault | undefined
  #closed = false

  constructor(address: string, clock: Clock) {
    this.#address = address
    this.#clock = clock
  }

  call(
    method: string,
    params: object,
    parts: readonly Buffer[] = [],
    { signal, waitMs = 0 }: CallOptions = {},
  ): Promise<Reply> {
    if (this.#closed) return Promise.reject(this.#away())
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const socket = this.#open()
      // 0 stands for the connection itself.
      this.#number = (this.#number + 1) >>> 0 || 1
      const number = this.#number
      const leave = (giveUp: boolean) => {
        cancel()
        signal?.removeEventListener('abort', stop)
        if (this.#pending.delete(number) && giveUp)
          socket.write(frameHead(frameKinds.cancel, number, null, []))
        if (this.#pending.size === 0) socket.unref()
      }
      const stop = () => {
        leave(true)
        reject(signal?.reason)
      }
      const cancel: Cancel = this.#clock.after(timeDefaults.requestMs + waitMs, () => {
        leave(true)
        reject(fault('BROKER_UNREACHABLE', `${this.#address} did not answer ${method} in time`))
      })
      signal?.addEventListener('abort', stop, { once: true })
      this.#pending.set(number, {
        resolve: (reply) => {
          leave(false)
          resolve(reply)
        },
        reject: (error) => {
          leave(false)
          reject(error)
        },
      })
      socket.ref()
      socket.cork()
      socket.write(frameHead(frameKinds.request, number, [method, params], parts))
      for (const part of parts) socket.write(part)
      process.nextTick(() => socket.uncork())
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#socket?.destroy()
  }

  #open(): Socket {
    if (this.#socket && !this.#socket.destroyed) return this.#socket
    const socket = connect({ ...parseAddress(this.#address), noDelay: true })
    this.#socket = socket
    this.#farewell = undefined
    const cancel = this.#clock.after(connectMs, () => socket.destroy())
    const reader = new FrameReader(answerBytesMax, (frame) => this.#take(frame))
    socket.on('connect', cancel)
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      cancel()
      if (this.#socket === socket) this.#socket = undefined
      for (const pending of [...this.#pending.values()])
        pending.reject(this.#farewell ?? this.#away())
    })
    return socket
  }

  #take({ kind, number, json, bytes }: Frame): void {
    if (number === 0 && kind === frameKinds.fault) this.#farewell = fromProblem(json)
    const pending = this.#pending.get(number)
    if (!pending) return
    if (kind === frameKinds.answer) pending.resolve({ result: json, bytes })
    else pending.reject(fromProblem(json) ?? fault('FRAME_INVALID', 'an answer that is none'))
  }

  #away() {
    return fault('BROKER_UNREACHABLE', `no connection to ${this.#address}`)
  }
}
