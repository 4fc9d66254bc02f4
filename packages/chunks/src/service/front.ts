import { link } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { describeError, randomToken, type Service } from '@drover/kernel'
import type { Output } from '../archives/write-archive.ts'
import { fault } from '../errors.ts'
import { checkName } from '../names.ts'
import { type InputForm, unpackers } from '../source/input.ts'
import type { Way } from '../way/way.ts'
import { type ChunkRequest, isOpen } from './request.ts'
import { RequestBoard } from './request-board.ts'
import { measureResult, readResult } from './result.ts'
import { receive } from './uploads/receive.ts'
import { Worker, type WorkerParts } from './worker.ts'

/** What somebody wants of an upload. */
export interface Wish {
  readonly name: string
  readonly by: string
  readonly way: Way
  readonly output: Output
}

/** What the front is made of. */
export interface FrontParts extends WorkerParts {
  /** Requests that may wait or be received. */
  readonly waitingMax: number
  /** Uploads at one time. */
  readonly receivingMax: number
  /** Requests that ended and are kept; the oldest are forgotten first. */
  readonly endedMax: number
  /** How long a request that ended is kept, in ms. */
  readonly keepMs: number
}

/** An upload that is on this disk already. */
export interface Adopted {
  readonly id: string
  /** Its files, one after the other. */
  readonly paths: readonly string[]
  readonly bytes: number
}

const sweepMs = 10_000

/** The requests of all clients: receives files, has them worked on in order, gives out results. */
export class Front implements Service {
  /** What every client sees. */
  readonly board = new RequestBoard()
  readonly #parts: FrontParts
  readonly #worker: Worker
  #sequence = 0
  #receiving = 0
  #unsweep = () => {}

  constructor(parts: FrontParts) {
    this.#parts = parts
    this.#worker = new Worker(parts, this.board)
  }

  /** Takes up what was left by the last run. */
  async start(): Promise<void> {
    const { store, queue, guard, clock } = this.#parts
    for (const request of await store.load()) {
      this.#sequence = Math.max(this.#sequence, request.sequence)
      guard.count(request.heldBytes)
      if (isOpen(request)) {
        request.state = 'waiting'
        request.doneBytes = (await store.takeUp(request))?.doneBytes ?? 0
        await queue.add(request.id)
      }
      this.board.add(request)
    }
    this.#unsweep = clock.every(sweepMs, () => void this.#sweep())
    this.#worker.start()
  }

  /** Stops working; what is under way goes on after the next start. */
  async stop(): Promise<void> {
    this.#unsweep()
    await this.#worker.stop()
    await this.#parts.queue.close()
  }

  /** Uploads that are being received. */
  get receiving(): number {
    return this.#receiving
  }

  /**
   * Receives a file and queues it; `bytes` is its size where the client tells it. Throws what receiving
   * may throw; then nothing of it is left.
   */
  async submit(
    wish: Wish,
    form: InputForm,
    stream: Readable,
    bytes?: number,
  ): Promise<ChunkRequest> {
    const { store, guard, clock, uploadBytesMax, receivingMax } = this.#parts
    checkName(wish.name)
    this.checkRoom(bytes ?? 0)
    this.#checkPlace()
    if (this.#receiving >= receivingMax)
      throw fault('REQUESTS_TOO_MANY', `${receivingMax} files are being received already`)
    const id = randomToken(12)
    this.#receiving++
    try {
      await store.make(id)
      const options = { path: store.inputPath(id), form, guard, clock, bytesMax: uploadBytesMax }
      const received = await receive(stream, options)
      return await this.#enqueue({ ...this.#newRequest(id, wish), ...received }, true)
    } catch (error) {
      await store.remove(id)
      throw error
    } finally {
      this.#receiving--
    }
  }

  /**
   * Queues a file that is on this disk and counted in the quota already. The same id again gives the
   * same request. The caller's links to the files stay.
   */
  async adopt({ id, paths, bytes }: Adopted, wish: Wish, form: InputForm): Promise<ChunkRequest> {
    const { store } = this.#parts
    const known = this.board.get(id)
    if (known) return known
    checkName(wish.name)
    this.#checkPlace()
    await store.make(id)
    try {
      for (const [number, path] of paths.entries()) await link(path, store.inputPath(id, number))
      const packed = unpackers(form).length > 0 ? { packed: form } : {}
      const request = { ...this.#newRequest(id, wish), ...packed, inputs: paths.length, bytes }
      return await this.#enqueue(request, false)
    } catch (error) {
      await store.remove(id)
      throw error
    }
  }

  /** Throws when there is no room for an upload of so many bytes: sooner than after all were sent. */
  checkRoom(bytes: number): void {
    const { guard, uploadBytesMax } = this.#parts
    if (bytes > uploadBytesMax)
      throw fault('UPLOAD_TOO_LARGE', `the file is over ${uploadBytesMax} bytes`)
    guard.checkRoom(bytes)
  }

  #checkPlace(): void {
    const { waitingMax } = this.#parts
    if (this.board.count('waiting') + this.#receiving >= waitingMax)
      throw fault('REQUESTS_TOO_MANY', `${waitingMax} requests wait already`)
  }

  #newRequest(id: string, wish: Wish): ChunkRequest {
    const createdAtMs = this.#parts.clock.now()
    const sizes = { inputs: 1, bytes: 0, doneBytes: 0, heldBytes: 0 }
    return { ...wish, ...sizes, id, sequence: ++this.#sequence, createdAtMs, state: 'waiting' }
  }

  async #enqueue(request: ChunkRequest, isCounted: boolean): Promise<ChunkRequest> {
    const { store, queue, guard } = this.#parts
    request.heldBytes = request.bytes
    try {
      if (!isCounted) guard.count(request.bytes)
      await store.save(request)
      this.board.add(request)
      await queue.add(request.id)
      return request
    } catch (error) {
      this.board.remove(request.id)
      guard.give(request.bytes)
      throw error
    }
  }

  /** Ends a request whatever its state, and frees its room. */
  async cancel(id: string): Promise<void> {
    const { store, queue, clock, guard } = this.#parts
    const request = this.board.find(id)
    if (!isOpen(request)) {
      await this.#forget(request)
      return
    }
    request.state = 'cancelled'
    request.endedAtMs = clock.now()
    this.board.tellEnded(id)
    // A crash must not bring it back.
    await store.save(request).catch(() => {})
    await queue.remove(id)
    if (this.#worker.cancel(id)) return
    guard.give(request.heldBytes)
    await store.remove(id)
  }

  /** Returns how many bytes a result has, undefined when only writing tells. Throws as `result` does. */
  async measure(request: ChunkRequest, output: Output): Promise<number | undefined> {
    checkDone(request)
    if (output === request.output) return request.resultBytes
    return measureResult(this.#parts.store, request, output)
  }

  /** Yields the result from byte `from` on. Throws REQUEST_UNFINISHED, REQUEST_ENDED. */
  result(request: ChunkRequest, output: Output, from = 0): AsyncGenerator<Buffer> {
    checkDone(request)
    return readResult(this.#parts.store, request, output, from)
  }

  async #forget({ id, state, heldBytes }: ChunkRequest): Promise<void> {
    const { store, guard } = this.#parts
    this.board.remove(id)
    // A cancelled one has given its room back, and its folder is gone or going.
    if (state === 'cancelled') return
    guard.give(heldBytes)
    await store.remove(id)
  }

  /** Removes what ended long ago, and the oldest of too many. */
  async #sweep(): Promise<void> {
    const { clock, log, keepMs, endedMax } = this.#parts
    const ended = [...this.board.all()].filter((request) => !isOpen(request))
    const tooMany = ended.length - endedMax
    for (const [index, request] of ended.entries()) {
      const isOld = clock.now() - (request.endedAtMs ?? 0) > keepMs
      if (!isOld && index >= tooMany) continue
      await this.#forget(request).catch((error) =>
        log.error({ cause: describeError(error), request: request.id }, 'a request is not removed'),
      )
    }
  }
}

function checkDone(request: ChunkRequest): void {
  if (isOpen(request)) throw fault('REQUEST_UNFINISHED', `the request is ${request.state}`)
  if (request.state !== 'done')
    throw fault('REQUEST_ENDED', request.error?.message ?? 'the request was cancelled')
}
