import { fault } from '../errors.ts'
import { type ChunkRequest, isOpen, type RequestView } from './request.ts'

/** Weight of the last request in the measured speed. */
const speedWeight = 0.3

/** How many of those that ended are listed; all of them can be asked for by their id. */
const endedListed = 100

/** The requests of all clients, in their order: what everyone sees. */
export class RequestBoard {
  readonly #requests = new Map<string, ChunkRequest>()
  readonly #waiters = new Map<string, (() => void)[]>()
  #bytesPerMs = 0

  add(request: ChunkRequest): void {
    this.#requests.set(request.id, request)
  }

  remove(id: string): void {
    this.#requests.delete(id)
    this.tellEnded(id)
  }

  get(id: string): ChunkRequest | undefined {
    return this.#requests.get(id)
  }

  /** Returns a request; throws REQUEST_UNKNOWN. */
  find(id: string): ChunkRequest {
    const request = this.#requests.get(id)
    if (!request) throw fault('REQUEST_UNKNOWN', 'no such request; it may have expired')
    return request
  }

  all(): IterableIterator<ChunkRequest> {
    return this.#requests.values()
  }

  count(state: ChunkRequest['state']): number {
    let count = 0
    for (const request of this.all()) if (request.state === state) count++
    return count
  }

  /** Resolves when a request has ended, at once when it has. */
  ended(id: string): Promise<void> {
    const request = this.#requests.get(id)
    if (!request || !isOpen(request)) return Promise.resolve()
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(id)
      if (waiters) waiters.push(resolve)
      else this.#waiters.set(id, [resolve])
    })
  }

  tellEnded(id: string): void {
    for (const tell of this.#waiters.get(id) ?? []) tell()
    this.#waiters.delete(id)
  }

  /** Learns how fast work goes from a request that took `tookMs`. */
  learn(bytes: number, tookMs: number): void {
    const speed = Math.max(1, bytes) / Math.max(1, tookMs)
    const known = this.#bytesPerMs
    this.#bytesPerMs = known === 0 ? speed : known * (1 - speedWeight) + speed * speedWeight
  }

  get bytesPerSecond(): number {
    return Math.round(this.#bytesPerMs * 1_000)
  }

  /** Returns the queue as every client sees it: what is worked on, what waits, what ended last. */
  list(): RequestView[] {
    const all = [...this.all()]
    const ended = all.filter((request) => !isOpen(request))
    return [...this.#openViews(all), ...ended.slice(-endedListed).toReversed().map(viewOf)]
  }

  /** Returns one request as clients see it. Throws REQUEST_UNKNOWN. */
  view(id: string): RequestView {
    const request = this.find(id)
    if (!isOpen(request)) return viewOf(request)
    const views = this.#openViews([...this.all()])
    return views.find((view) => view.id === id) ?? viewOf(request)
  }

  #openViews(all: readonly ChunkRequest[]): RequestView[] {
    let aheadBytes = 0
    let place = 0
    return all.filter(isOpen).map((request) => {
      aheadBytes += request.bytes - request.doneBytes
      const own = request.state === 'working' ? 0 : ++place
      const isKnown = this.#bytesPerMs > 0
      const estimate = isKnown ? { estimateMs: Math.ceil(aheadBytes / this.#bytesPerMs) } : {}
      return { ...viewOf(request), place: own, ...estimate }
    })
  }
}

function viewOf(request: ChunkRequest): RequestView {
  const { id, name, by, output, bytes, state, createdAtMs } = request
  const { doneBytes, pieces, resultBytes, error, endedAtMs } = request
  const share = bytes === 0 ? 0 : Math.min(1, doneBytes / bytes)
  return {
    ...{ id, name, by, output, bytes, state, createdAtMs },
    progress: state === 'done' ? 1 : share,
    ...(pieces === undefined ? {} : { pieces }),
    ...(resultBytes === undefined ? {} : { resultBytes }),
    ...(error === undefined ? {} : { error }),
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
  }
}
