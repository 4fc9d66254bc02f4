import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import {
  type Clock,
  describeError,
  Fault,
  type Log,
  randomToken,
  type Service,
} from '@drover/kernel'
import { type Output, writeOutput } from '../archives/write-archive.ts'
import { planSource } from '../chunk-file.ts'
import { ContentReader } from '../content-reader.ts'
import { fault } from '../errors.ts'
import { openSource } from '../file-source.ts'
import { openGroups } from '../groups.ts'
import { type InputForm, unpackers } from '../input.ts'
import { checkName, createNamer } from '../names.ts'
import { PieceStore } from '../piece-store.ts'
import { groupsOf, labelsOf } from '../sort-file.ts'
import type { Way } from '../way.ts'
import type { DiskGuard } from './disk-guard.ts'
import { type Received, receive } from './receive.ts'
import { chunkRemotely } from './remote-work.ts'
import type { ChunkRequest, RequestView } from './request.ts'
import type { RequestQueue } from './request-queue.ts'
import type { RequestStore } from './request-store.ts'
import type { TaskClient } from './task-client.ts'

/** What somebody wants of an upload. */
export interface Wish {
  readonly name: string
  readonly by: string
  readonly way: Way
  readonly output: Output
}

/** What the front is made of. */
export interface FrontParts {
  readonly store: RequestStore
  readonly queue: RequestQueue
  readonly guard: DiskGuard
  readonly tasks: TaskClient
  readonly clock: Clock
  readonly log: Log
  /** Requests worked on at one time. */
  readonly workers: number
  readonly waitingMax: number
  readonly uploadBytesMax: number
  readonly chunksMax: number
  /** How long a request that ended is kept, in ms. */
  readonly keepMs: number
}

const sweepMs = 60_000
/** Weight of the last request in the measured speed. */
const speedWeight = 0.3

/** The requests of all clients: receives files, works through them in order, gives out results. */
export class Front implements Service {
  readonly #parts: FrontParts
  readonly #requests = new Map<string, ChunkRequest>()
  readonly #aborts = new Map<string, AbortController>()
  readonly #stopped = new AbortController()
  #loops: Promise<void>[] = []
  #sequence = 0
  #receiving = 0
  #bytesPerMs = 0
  #unsweep = () => {}

  constructor(parts: FrontParts) {
    this.#parts = parts
  }

  /** Takes up what was left by the last run. */
  async start(): Promise<void> {
    const { store, queue, guard, clock, workers } = this.#parts
    for (const request of await store.load()) {
      this.#requests.set(request.id, request)
      this.#sequence = Math.max(this.#sequence, request.sequence)
      if (request.state === 'working' || request.state === 'waiting') {
        request.state = 'waiting'
        request.doneBytes = 0
        await store.clean(request.id)
        await queue.add(request.id)
      }
      guard.usedBytes += await store.bytesOf(request.id)
    }
    this.#unsweep = clock.every(sweepMs, () => void this.#sweep())
    this.#loops = Array.from({ length: workers }, () => this.#loop())
  }

  /** Stops working; what is under way goes on after the next start. */
  async stop(): Promise<void> {
    this.#unsweep()
    this.#stopped.abort()
    await Promise.all(this.#loops)
    await this.#parts.queue.close()
  }

  /** Receives a file and queues it. Throws what receiving may throw; then nothing of it is left. */
  async submit(wish: Wish, form: InputForm, stream: Readable): Promise<ChunkRequest> {
    const { store, guard, uploadBytesMax } = this.#parts
    checkName(wish.name)
    this.#checkRoom()
    const id = randomToken(12)
    this.#receiving++
    try {
      const folder = await store.make(id)
      const path = join(folder, 'input')
      const received = await receive(stream, { path, form, guard, bytesMax: uploadBytesMax })
      return await this.#enqueue(id, wish, received)
    } catch (error) {
      await store.remove(id)
      throw error
    } finally {
      this.#receiving--
    }
  }

  /** Queues a file that is on this disk already and is counted in the quota; it is moved here. */
  async adopt(id: string, wish: Wish, form: InputForm, path: string): Promise<ChunkRequest> {
    const { store, guard, uploadBytesMax } = this.#parts
    checkName(wish.name)
    this.#checkRoom()
    const target = join(await store.make(id), 'input')
    try {
      const isPlain = unpackers(form).length === 0
      const options = { path: target, form, guard, bytesMax: uploadBytesMax }
      const received = isPlain
        ? await sumFile(path)
        : await receive(createReadStream(path), options)
      if (isPlain) await rename(path, target)
      return await this.#enqueue(id, wish, received)
    } catch (error) {
      await store.remove(id)
      throw error
    }
  }

  #checkRoom(): void {
    const waiting = [...this.#requests.values()].filter(({ state }) => state === 'waiting').length
    if (waiting + this.#receiving >= this.#parts.waitingMax)
      throw fault('REQUESTS_TOO_MANY', `${this.#parts.waitingMax} requests wait already`)
  }

  async #enqueue(id: string, wish: Wish, received: Received): Promise<ChunkRequest> {
    const { store, queue, clock } = this.#parts
    const request: ChunkRequest = {
      ...wish,
      ...received,
      id,
      sequence: ++this.#sequence,
      createdAtMs: clock.now(),
      state: 'waiting',
      doneBytes: 0,
    }
    await store.save(request)
    this.#requests.set(id, request)
    await queue.add(id)
    return request
  }

  /** Returns a request; throws REQUEST_UNKNOWN. */
  find(id: string): ChunkRequest {
    const request = this.#requests.get(id)
    if (!request) throw fault('REQUEST_UNKNOWN', 'no such request; it may have expired')
    return request
  }

  /** Returns the queue as every client sees it: what is worked on, what waits, what ended. */
  list(): RequestView[] {
    const all = [...this.#requests.values()]
    const open = all.filter(isOpen)
    const ended = all.filter((request) => !isOpen(request)).toReversed()
    let aheadBytes = 0
    let place = 0
    const views = open.map((request) => {
      aheadBytes += request.bytes - request.doneBytes
      const own = request.state === 'working' ? 0 : ++place
      const estimate = this.#bytesPerMs > 0 ? { estimateMs: aheadBytes / this.#bytesPerMs } : {}
      return { ...viewOf(request), place: own, ...estimate }
    })
    return [...views, ...ended.map(viewOf)]
  }

  /** Ends a request whatever its state, and frees its room. */
  async cancel(id: string): Promise<void> {
    const request = this.find(id)
    if (request.state === 'done' || request.state === 'failed') {
      await this.#forget(request)
      return
    }
    request.state = 'cancelled'
    request.endedAtMs = this.#parts.clock.now()
    await this.#parts.queue.remove(id)
    const running = this.#aborts.get(id)
    if (running) running.abort(fault('REQUEST_ENDED', 'the request was cancelled'))
    else await this.#freeFiles(request)
  }

  /** Yields the result. Throws REQUEST_UNFINISHED, REQUEST_ENDED. */
  async *result(id: string, output: Output = this.find(id).output): AsyncGenerator<Buffer> {
    const request = this.find(id)
    if (isOpen(request)) throw fault('REQUEST_UNFINISHED', `the request is ${request.state}`)
    if (request.state !== 'done')
      throw fault('REQUEST_ENDED', request.error?.message ?? 'the request was cancelled')
    const folder = this.#parts.store.folderOf(id)
    const source = await openSource(join(folder, 'input'))
    const plan = await planSource(source, request.way)
    const pieces = await PieceStore.open(join(folder, 'pieces'))
    const content = plan.isSorted ? await openGroups(folder, groupsOf(plan)) : source
    try {
      const nameOf = createNamer(request.name, labelsOf(plan))
      const { name, sha256, counts } = request
      const facts = { plan, name, nameOf, sha256, ...(counts ? { counts } : {}) }
      yield* writeOutput(output, { pieces, reader: new ContentReader(content), facts })
    } finally {
      await pieces.close()
      await source.close()
      if (content !== source) await content.close()
    }
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const id = await this.#parts.queue.take(signal).catch(() => undefined)
      const request = id === undefined ? undefined : this.#requests.get(id)
      if (request?.state === 'waiting') await this.#work(request)
      if (id !== undefined && !signal.aborted) await this.#parts.queue.done(id)
    }
  }

  async #work(request: ChunkRequest): Promise<void> {
    const { clock, log } = this.#parts
    const abort = new AbortController()
    this.#aborts.set(request.id, abort)
    request.state = 'working'
    const startMs = clock.monotonic()
    try {
      const signal = AbortSignal.any([abort.signal, this.#stopped.signal])
      await this.#chunk(request, signal)
      this.#learn(request.bytes, clock.monotonic() - startMs)
    } catch (error) {
      if (!abort.signal.aborted && !this.#stopped.signal.aborted) {
        log.warn({ cause: describeError(error), request: request.id }, 'a request failed')
        await this.#fail(request, error)
      }
    } finally {
      this.#aborts.delete(request.id)
      if (abort.signal.aborted) await this.#freeFiles(request)
    }
  }

  async #chunk(request: ChunkRequest, signal: AbortSignal): Promise<void> {
    const { store, guard, tasks, clock, chunksMax } = this.#parts
    const folder = store.folderOf(request.id)
    const source = await openSource(join(folder, 'input'))
    try {
      const plan = await planSource(source, request.way)
      const advance = (bytes: number) => {
        request.doneBytes = Math.min(request.bytes, bytes)
      }
      const run = { clock, chunksMax, advance, signal, tasks }
      const chunked = await chunkRemotely(source, plan, folder, run)
      request.pieces = chunked.store.count
      if (chunked.counts) request.counts = chunked.counts
      await chunked.store.close()
      if (chunked.content !== source) await chunked.content.close()
    } finally {
      await source.close()
    }
    signal.throwIfAborted()
    request.resultBytes = (await store.bytesOf(request.id)) - request.bytes
    await guard.take(request.resultBytes)
    signal.throwIfAborted()
    await this.#end(request, 'done')
  }

  async #fail(request: ChunkRequest, error: unknown): Promise<void> {
    const known = error instanceof Fault ? error : fault('TASK_FAILED', 'the work failed')
    request.error = { code: known.code, message: known.message, status: known.status }
    await this.#end(request, 'failed')
    await this.#parts.store.clean(request.id)
  }

  async #end(request: ChunkRequest, state: ChunkRequest['state']): Promise<void> {
    const endedAtMs = this.#parts.clock.now()
    // Nobody is told of an end that a crash could take back.
    await this.#parts.store.save({ ...request, state, endedAtMs })
    request.state = state
    request.endedAtMs = endedAtMs
  }

  #learn(bytes: number, tookMs: number): void {
    const speed = Math.max(1, bytes) / Math.max(1, tookMs)
    this.#bytesPerMs =
      this.#bytesPerMs === 0 ? speed : this.#bytesPerMs * (1 - speedWeight) + speed * speedWeight
  }

  async #freeFiles(request: ChunkRequest): Promise<void> {
    const { store, guard } = this.#parts
    guard.give(request.bytes + (request.resultBytes ?? 0))
    await store.remove(request.id)
  }

  async #forget(request: ChunkRequest): Promise<void> {
    this.#requests.delete(request.id)
    if (request.state !== 'cancelled') await this.#freeFiles(request)
  }

  /** Removes what ended long ago. */
  async #sweep(): Promise<void> {
    const { clock, keepMs } = this.#parts
    for (const request of [...this.#requests.values()])
      if (request.endedAtMs !== undefined && clock.now() - request.endedAtMs > keepMs)
        await this.#forget(request)
  }
}

async function sumFile(path: string): Promise<Received> {
  const sha = createHash('sha256')
  let bytes = 0
  for await (const block of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    sha.update(block)
    bytes += block.length
  }
  return { bytes, sha256: sha.digest('hex') }
}

function isOpen({ state }: ChunkRequest): boolean {
  return state === 'waiting' || state === 'working'
}

function viewOf(request: ChunkRequest): RequestView {
  const { id, name, by, output, bytes, state, createdAtMs } = request
  const { doneBytes, pieces, error, endedAtMs } = request
  const share = bytes === 0 ? 0 : doneBytes / bytes
  return {
    ...{ id, name, by, output, bytes, state, createdAtMs },
    progress: state === 'done' ? 1 : share,
    ...(pieces === undefined ? {} : { pieces }),
    ...(error === undefined ? {} : { error }),
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
  }
}
