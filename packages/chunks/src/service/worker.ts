import { createHash } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Clock, describeError, Fault, type Log } from '@drover/kernel'
import { planSource } from '../chunk-file.ts'
import { fault } from '../errors.ts'
import { namedDisk } from '../files/named-error.ts'
import { type FileSource, readSegments, type Source } from '../source/file-source.ts'
import { CheckpointKeeper } from './checkpoint.ts'
import type { DiskGuard } from './disk-guard.ts'
import type { ChunkRequest } from './request.ts'
import type { RequestBoard } from './request-board.ts'
import type { RequestQueue } from './request-queue.ts'
import type { RequestStore } from './request-store.ts'
import { measureResult } from './result.ts'
import { sweepAfter } from './sweep.ts'
import { chunkRemotely, type RemoteRun } from './tasks/remote-work.ts'
import type { TaskClient } from './tasks/task-client.ts'
import { receive } from './uploads/receive.ts'

/** What the worker is made of. */
export interface WorkerParts {
  readonly store: RequestStore
  readonly queue: RequestQueue
  readonly guard: DiskGuard
  readonly tasks: TaskClient
  readonly clock: Clock
  readonly log: Log
  /** Requests worked on at one time. */
  readonly workers: number
  readonly uploadBytesMax: number
  readonly chunksMax: number
}

/** How long the queue is left alone after it failed, in ms. */
const queueRestMs = 500

/** Works through the requests in the order of the queue. */
export class Worker {
  readonly #parts: WorkerParts
  readonly #board: RequestBoard
  readonly #running = new Map<string, AbortController>()
  readonly #stopped = new AbortController()
  #loops: Promise<void>[] = []

  constructor(parts: WorkerParts, board: RequestBoard) {
    this.#parts = parts
    this.#board = board
  }

  start(): void {
    this.#loops = Array.from({ length: this.#parts.workers }, () => this.#loop())
  }

  /** Stops working; what is under way goes on after the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await Promise.all(this.#loops)
  }

  /** Ends the work on a request that was cancelled; false when there is none under way. */
  cancel(id: string): boolean {
    const running = this.#running.get(id)
    running?.abort(fault('REQUEST_ENDED', 'the request was cancelled'))
    return running !== undefined
  }

  async #loop(): Promise<void> {
    const { queue, clock, log } = this.#parts
    const { signal } = this.#stopped
    while (!signal.aborted) {
      try {
        const id = await queue.take(signal)
        const request = this.#board.get(id)
        if (request?.state === 'waiting') await this.#work(request)
        if (!signal.aborted) await queue.done(id)
      } catch (error) {
        if (signal.aborted) return
        log.error({ cause: describeError(error) }, 'the queue of requests failed')
        await clock.sleep(queueRestMs, signal).catch(() => {})
      }
    }
  }

  async #work(request: ChunkRequest): Promise<void> {
    const { clock, log, store, guard } = this.#parts
    const abort = new AbortController()
    this.#running.set(request.id, abort)
    request.state = 'working'
    const startMs = clock.monotonic()
    const firstBytes = request.doneBytes
    try {
      await this.#chunk(request, AbortSignal.any([abort.signal, this.#stopped.signal]))
      this.#board.learn(request.bytes - firstBytes, clock.monotonic() - startMs)
    } catch (error) {
      if (abort.signal.aborted || this.#stopped.signal.aborted) return
      log.warn({ cause: describeError(error), request: request.id }, 'a request failed')
      await this.#fail(request, error)
    } finally {
      this.#running.delete(request.id)
      sweepAfter(request.bytes)
      if (abort.signal.aborted) {
        guard.give(request.heldBytes)
        await store.remove(request.id)
      }
    }
  }

  async #chunk(request: ChunkRequest, signal: AbortSignal): Promise<void> {
    const { store } = this.#parts
    if (request.packed) await this.#unpack(request, request.packed, signal)
    const source = await store.openInput(request)
    try {
      // The sum of an upload that came in parts is worked out beside the work.
      const sum = request.sha256 ? Promise.resolve(request.sha256) : sumOf(source, signal)
      sum.catch(() => {})
      await this.#cut(request, source, signal)
      request.sha256 = await sum
    } finally {
      await source.close()
    }
    signal.throwIfAborted()
    await store.dropCheckpoint(request.id)
    const held = await store.bytesOf(request.id)
    this.#count(request, held - request.heldBytes)
    const resultBytes = await measureResult(store, request, request.output)
    if (resultBytes !== undefined) request.resultBytes = resultBytes
    signal.throwIfAborted()
    await this.#end(request, 'done')
  }

  async #unpack(request: ChunkRequest, form: typeof request.packed, signal: AbortSignal) {
    if (!form) return
    const { store, guard, clock, uploadBytesMax } = this.#parts
    const packed = await store.openInput(request)
    const path = join(store.folderOf(request.id), 'unpacked')
    try {
      const bytes = blocksOf(packed, signal)
      const options = { path, form, guard, clock, bytesMax: uploadBytesMax }
      const received = await receive(Readable.from(bytes, { objectMode: false }), options)
      request.heldBytes += received.bytes
      Object.assign(request, { ...received, packed: undefined, inputs: 1 })
    } finally {
      await packed.close()
    }
    await rename(path, store.inputPath(request.id))
    await store.save({ ...request, state: 'waiting' })
    await store.clean(request)
    this.#count(request, (await store.bytesOf(request.id)) - request.heldBytes)
  }

  async #cut(request: ChunkRequest, source: FileSource, signal: AbortSignal): Promise<void> {
    const { store, guard, tasks, clock, chunksMax } = this.#parts
    const folder = store.folderOf(request.id)
    const plan = await planSource(source, request.way)
    const from = await store.takeUp(request)
    this.#count(request, (await store.bytesOf(request.id)) - request.heldBytes)
    const run: RemoteRun = {
      ...{ clock, chunksMax, signal, tasks, from },
      keeper: new CheckpointKeeper(folder, clock.monotonic),
      advance: (bytes) => {
        request.doneBytes = Math.min(request.bytes, bytes)
      },
      spend: async (bytes) => {
        await guard.take(bytes)
        request.heldBytes += bytes
      },
    }
    const chunked = await chunkRemotely(source, plan, folder, run)
    request.pieces = chunked.store.count
    if (chunked.counts) request.counts = chunked.counts
    await chunked.store.close()
    if (chunked.content !== source) await chunked.content.close()
  }

  /** Counts bytes that are on disk already, or no longer. */
  #count(request: ChunkRequest, bytes: number): void {
    this.#parts.guard.count(bytes)
    request.heldBytes += bytes
  }

  async #fail(request: ChunkRequest, error: unknown): Promise<void> {
    const { store } = this.#parts
    const named = namedDisk(error)
    const known = named instanceof Fault ? named : fault('TASK_FAILED', 'the work failed')
    request.error = { code: known.code, message: known.message, status: known.status }
    // First room, then the note: the disk may be full.
    await store.empty(request)
    this.#count(request, -request.heldBytes)
    await this.#end(request, 'failed')
  }

  async #end(request: ChunkRequest, state: ChunkRequest['state']): Promise<void> {
    const endedAtMs = this.#parts.clock.now()
    // Nobody is told of an end that a crash could take back.
    await this.#parts.store.save({ ...request, state, endedAtMs })
    // It may have been cancelled meanwhile.
    if (request.state !== 'working') return
    request.state = state
    request.endedAtMs = endedAtMs
    this.#board.tellEnded(request.id)
  }
}

async function sumOf(source: Source, signal: AbortSignal): Promise<string> {
  const sha = createHash('sha256')
  for await (const { bytes } of readSegments(source, signal)) sha.update(bytes)
  return sha.digest('hex')
}

async function* blocksOf(source: Source, signal: AbortSignal): AsyncGenerator<Buffer> {
  // A segment is good until the next one only, and the stream keeps some.
  for await (const { bytes } of readSegments(source, signal)) yield Buffer.from(bytes)
}
