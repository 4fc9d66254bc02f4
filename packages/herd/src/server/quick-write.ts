import type { Socket } from 'node:net'

/** A request to write, as node's own sockets make them. */
interface WriteRequest {
  oncomplete: ((status: number) => void) | null
  buffer: Buffer | null
}

/** What is below a socket. Node does not document it, so every part of it may be missing. */
interface Handle {
  writeBuffer?(request: WriteRequest, bytes: Buffer): number
  writeLatin1String?(request: WriteRequest, text: string): number
  /** Bytes that the system has not taken yet. */
  readonly writeQueueSize?: number
}

/** Found by watching node's first write; a request that is not of this class would crash node. */
let Request: (new () => WriteRequest) | undefined

/** Nobody holds a request whose bytes were taken at once, so it is used for the next write, too. */
let spare: WriteRequest | undefined

/**
 * Writes on a socket's handle, past node's streams: an answer costs half of what `socket.write` does
 * beside the system's share. Where the handle is not as expected it is `socket.write`.
 */
export class QuickWriter {
  readonly #socket: Socket
  readonly #onDrain: () => void
  #pendingBytes = 0

  /** `onDrain` is called when bytes that had to wait have left, besides the socket's own 'drain'. */
  constructor(socket: Socket, onDrain: () => void) {
    this.#socket = socket
    this.#onDrain = onDrain
  }

  /** Bytes that wait for the other end to read. */
  get waitingBytes(): number {
    return this.#pendingBytes + this.#socket.writableLength
  }

  /** Writes; true when the bytes are still needed and must not be changed any more. */
  write(bytes: Buffer): boolean {
    const socket = this.#socket
    const { _handle: handle } = socket as { _handle?: Handle | null }
    if (socket.destroyed || socket.writableEnded) return false
    if (!Request || !handle?.writeBuffer || this.waitingBytes > 0) {
      if (!Request && handle?.writeLatin1String) learnRequest(handle)
      socket.write(bytes.toString('latin1'), 'latin1')
      return false
    }
    const request = spare ?? new Request()
    spare = request
    const failure = handle.writeBuffer(request, bytes)
    if (failure !== 0) socket.destroy()
    if (failure !== 0 || handle.writeQueueSize === 0) return false
    this.#await(request, bytes)
    return true
  }

  #await(request: WriteRequest, bytes: Buffer): void {
    spare = undefined
    this.#pendingBytes = bytes.length
    request.buffer = bytes
    request.oncomplete = (status) => {
      request.buffer = null
      this.#pendingBytes = 0
      if (status < 0) this.#socket.destroy()
      else this.#onDrain()
    }
  }
}

/** Looks at the next request that node makes itself, and leaves the handle as it was. */
function learnRequest(handle: Handle): void {
  const write = handle.writeLatin1String
  handle.writeLatin1String = (request, text) => {
    delete handle.writeLatin1String
    const made = Object.getPrototypeOf(request).constructor as new () => WriteRequest
    if (made.name === 'WriteWrap') Request = made
    return write?.call(handle, request, text) ?? -1
  }
}
