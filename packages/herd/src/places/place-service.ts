import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { PlacesAnswer, PlacesProvider, PlacesQuery } from './places.ts'

/** How questions for places are limited. */
export interface PlaceServiceOptions {
  readonly provider: PlacesProvider
  readonly clock: Clock
  /** How long an answer is given again, in ms. Google's terms ask for short times. Default 60 s. */
  readonly cacheMs?: number
  /** Answers kept; the one not used for longest goes first. Default 1,000. */
  readonly cachedMax?: number
  /** Questions at a time. Default 8. */
  readonly concurrencyMax?: number
  /** Questions that may wait for their turn; one more is refused. Default 200. */
  readonly waitingMax?: number
  /** The longest wait for an answer, waiting for the turn included, in ms. Default 8 s. */
  readonly timeoutMs?: number
  /** After so many failures in a row the provider is left alone … Default 5. */
  readonly failuresMax?: number
  /** … for so long; then one question tries it. Default 10 s. */
  readonly pauseMs?: number
}

interface Cached {
  readonly answer: PlacesAnswer
  readonly untilMs: number
  readonly limit: number
}

/** What the service has done since its start. */
export interface PlaceCounts {
  asked: number
  fromCache: number
  shared: number
  failed: number
  refused: number
}

/**
 * Asks a provider for places, as little as possible: equal questions share one answer, answers are
 * kept for a while, and a provider that fails is left alone.
 *
 *   answer ─▶ cache ─▶ same question under way? ─▶ breaker ─▶ turn ─▶ provider
 */
export class PlaceService {
  readonly counts: PlaceCounts = { asked: 0, fromCache: 0, shared: 0, failed: 0, refused: 0 }
  readonly #options: Required<PlaceServiceOptions>
  readonly #cache = new Map<string, Cached>()
  readonly #underWay = new Map<string, Promise<PlacesAnswer>>()
  readonly #turns: (() => void)[] = []
  #running = 0
  #failures = 0
  #closedUntilMs = 0

  constructor(options: PlaceServiceOptions) {
    this.#options = {
      cacheMs: 60_000,
      cachedMax: 1_000,
      concurrencyMax: 8,
      waitingMax: 200,
      timeoutMs: 8_000,
      failuresMax: 5,
      pauseMs: 10_000,
      ...options,
    }
  }

  /** Returns the places; throws PLACES_UNREACHABLE or PLACES_BUSY. */
  async answer(query: PlacesQuery): Promise<PlacesAnswer> {
    const key = this.#keyOf(query)
    const cached = this.#cached(key, query.limit)
    if (cached) return cached
    const pageKey = `${key} ${query.limit}`
    const underWay = this.#underWay.get(pageKey)
    if (underWay !== undefined) {
      this.counts.shared++
      return underWay
    }
    const asked = this.#ask(query, key).finally(() => this.#underWay.delete(pageKey))
    this.#underWay.set(pageKey, asked)
    return asked
  }

  close(): Promise<void> {
    return this.#options.provider.close()
  }

  #keyOf({ latitude, longitude, radiusMeters }: PlacesQuery): string {
    const { decimals } = this.#options.provider
    return `${latitude.toFixed(decimals)} ${longitude.toFixed(decimals)} ${radiusMeters}`
  }

  #cached(key: string, limit: number): PlacesAnswer | undefined {
    const cached = this.#cache.get(key)
    if (!cached) return undefined
    const isShort = cached.answer.results.length < limit && cached.limit < limit
    if (isShort || cached.untilMs <= this.#options.clock.monotonic()) return undefined
    this.counts.fromCache++
    this.#cache.delete(key)
    this.#cache.set(key, cached)
    return cached.answer
  }

  async #ask(query: PlacesQuery, key: string): Promise<PlacesAnswer> {
    const { clock, provider, timeoutMs } = this.#options
    this.#checkBreaker()
    const controller = new AbortController()
    const late = fault('PLACES_UNREACHABLE', `${provider.name} did not answer in ${timeoutMs} ms`)
    const cancel = clock.after(timeoutMs, () => controller.abort(late))
    try {
      const answer = await this.#inTurn(controller.signal, () => {
        this.counts.asked++
        return provider.search(query, controller.signal)
      })
      this.#failures = 0
      this.#keep(key, answer, query.limit)
      return answer
    } catch (error) {
      this.#fail()
      throw error
    } finally {
      cancel()
    }
  }

  #checkBreaker(): void {
    const { clock, failuresMax, pauseMs, provider, waitingMax } = this.#options
    const nowMs = clock.monotonic()
    if (this.#failures >= failuresMax && nowMs < this.#closedUntilMs) {
      this.counts.refused++
      throw fault('PLACES_BUSY', `${provider.name} failed ${this.#failures} times in a row`)
    }
    if (this.#turns.length >= waitingMax) {
      this.counts.refused++
      throw fault('PLACES_BUSY', `${this.#turns.length} questions wait already`)
    }
    // While this question tries the provider again, the others are still refused.
    if (this.#failures >= failuresMax) this.#closedUntilMs = nowMs + pauseMs
  }

  #fail(): void {
    const { clock, pauseMs } = this.#options
    this.counts.failed++
    this.#failures++
    this.#closedUntilMs = clock.monotonic() + pauseMs
  }

  async #inTurn(signal: AbortSignal, work: () => Promise<PlacesAnswer>): Promise<PlacesAnswer> {
    if (this.#running < this.#options.concurrencyMax) this.#running++
    else await this.#waitForTurn(signal)
    try {
      return await untilAborted(work(), signal)
    } finally {
      this.#giveTurn()
    }
  }

  /** The turn goes to the one that waits longest, or back. */
  #giveTurn(): void {
    const next = this.#turns.shift()
    if (next) next()
    else this.#running--
  }

  async #waitForTurn(signal: AbortSignal): Promise<void> {
    let take = () => {}
    const turn = new Promise<void>((resolve) => {
      take = resolve
    })
    this.#turns.push(take)
    try {
      await untilAborted(turn, signal)
    } catch (error) {
      const at = this.#turns.indexOf(take)
      // Given and called off in the same moment: somebody else can use it.
      if (at < 0) this.#giveTurn()
      else this.#turns.splice(at, 1)
      throw error
    }
  }

  #keep(key: string, answer: PlacesAnswer, limit: number): void {
    const { clock, cacheMs, cachedMax } = this.#options
    if (cacheMs === 0 || (answer.status !== 'OK' && answer.status !== 'ZERO_RESULTS')) return
    this.#cache.delete(key)
    this.#cache.set(key, { answer, untilMs: clock.monotonic() + cacheMs, limit })
    const [oldest] = this.#cache.keys()
    if (this.#cache.size > cachedMax && oldest !== undefined) this.#cache.delete(oldest)
  }
}

/** Resolves as `work` does, or rejects with the signal's reason when it aborts first. */
function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
