import type { TopicOptions } from '../../queue-engine.ts'

/** Keys whose rates are remembered; beyond it those that have their full allowance are forgotten. */
const keysMax = 100_000

/** An allowance that refills evenly, with bursts of one second's worth. */
export class Allowance {
  readonly #rate: number
  #left: number
  #atMs: number

  constructor(rate: number, nowMs: number) {
    this.#rate = rate
    this.#left = Math.max(1, rate)
    this.#atMs = nowMs
  }

  /** How many whole ones there are at `nowMs`, a monotonic time. */
  available(nowMs: number): number {
    const gained = ((nowMs - this.#atMs) / 1_000) * this.#rate
    this.#left = Math.min(Math.max(1, this.#rate), this.#left + Math.max(0, gained))
    this.#atMs = nowMs
    return Math.floor(this.#left)
  }

  take(count: number): void {
    this.#left -= count
  }

  /** How long until there is one, in ms. */
  waitMs(): number {
    return this.#left >= 1 ? 0 : Math.ceil(((1 - this.#left) / this.#rate) * 1_000)
  }
}

/**
 * The limits of one group of workers in one partition, over all and for each key. Messages of a key
 * at its limit are parked here, and come back when one of their key is done or its rate allows.
 */
export class WorkLimits {
  readonly #options: Required<TopicOptions>
  readonly #share: number
  readonly #rate: Allowance | undefined
  readonly #keyRates = new Map<string, Allowance>()
  /** The key of each message that is handed out. */
  readonly #keyOf = new Map<number, string>()
  readonly #active = new Map<string, number>()
  readonly #parked = new Map<string, number[]>()

  /** The limit over all workers is split among the partitions, so that together they keep it. */
  constructor(options: Required<TopicOptions>, index: number, nowMs: number) {
    const { partitions, concurrencyMax, rateMax } = options
    this.#options = options
    this.#share =
      concurrencyMax === 0
        ? Number.POSITIVE_INFINITY
        : Math.floor(concurrencyMax / partitions) + (index < concurrencyMax % partitions ? 1 : 0)
    this.#rate = rateMax > 0 ? new Allowance(rateMax / partitions, nowMs) : undefined
  }

  /** Holds when keys matter, so that records must be read before they are chosen. */
  get byKey(): boolean {
    return this.#options.keyConcurrencyMax > 0 || this.#options.keyRateMax > 0
  }

  /** How many more may be handed out now, keys apart. */
  room(leased: number, nowMs: number): number {
    const free = Math.max(0, this.#share - leased)
    return this.#rate ? Math.min(free, this.#rate.available(nowMs)) : free
  }

  /** Holds, and counts it, when a message of `key` may be handed out now; otherwise parks it. */
  admit(offset: number, key: string, nowMs: number): boolean {
    const { keyConcurrencyMax, keyRateMax } = this.#options
    const active = this.#active.get(key) ?? 0
    const rate = keyRateMax > 0 ? this.#rateOf(key, nowMs) : undefined
    if ((keyConcurrencyMax > 0 && active >= keyConcurrencyMax) || rate?.available(nowMs) === 0) {
      const parked = this.#parked.get(key) ?? []
      parked.push(offset)
      this.#parked.set(key, parked)
      return false
    }
    rate?.take(1)
    this.note(offset, key)
    return true
  }

  /** Notes that a message of `key` is out, as found after a restart. */
  note(offset: number, key: string): void {
    if (this.#keyOf.has(offset)) return
    this.#keyOf.set(offset, key)
    this.#active.set(key, (this.#active.get(key) ?? 0) + 1)
  }

  knows(offset: number): boolean {
    return this.#keyOf.has(offset)
  }

  #rateOf(key: string, nowMs: number): Allowance {
    const known = this.#keyRates.get(key)
    if (known) return known
    if (this.#keyRates.size >= keysMax) {
      for (const [idle, rate] of this.#keyRates)
        if (rate.available(nowMs) >= this.#options.keyRateMax) this.#keyRates.delete(idle)
    }
    const rate = new Allowance(this.#options.keyRateMax, nowMs)
    this.#keyRates.set(key, rate)
    return rate
  }

  taken(count: number): void {
    this.#rate?.take(count)
  }

  /** A message is no longer out. Returns the parked ones that may be looked at again. */
  release(offset: number): readonly number[] {
    const key = this.#keyOf.get(offset)
    if (key === undefined) return []
    this.#keyOf.delete(offset)
    const active = (this.#active.get(key) ?? 1) - 1
    if (active > 0) this.#active.set(key, active)
    else this.#active.delete(key)
    return this.#unpark(key)
  }

  /** The parked messages whose key's rate allows one more by now. */
  ripen(nowMs: number): readonly number[] {
    if (this.#options.keyRateMax === 0) return []
    return [...this.#parked.keys()]
      .filter((key) => this.#rateOf(key, nowMs).available(nowMs) > 0)
      .flatMap((key) => this.#unpark(key))
  }

  #unpark(key: string): readonly number[] {
    const parked = this.#parked.get(key) ?? []
    const [first] = parked.splice(0, 1)
    if (parked.length === 0) this.#parked.delete(key)
    return first === undefined ? [] : [first]
  }

  /** The time until some rate allows one more, in ms; undefined when no rate holds anything up. */
  waitMs(nowMs: number): number | undefined {
    const waits = [...this.#parked.keys()].map((key) => this.#rateOf(key, nowMs).waitMs())
    if (this.#rate?.available(nowMs) === 0) waits.push(this.#rate.waitMs())
    const positive = waits.filter((wait) => wait > 0)
    return positive.length > 0 ? Math.min(...positive) : undefined
  }
}
