import { statfs } from 'node:fs/promises'
import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'

/** How much of the disk the service may use. */
export interface DiskLimits {
  /** Bytes of all uploads and results together. */
  readonly quotaBytes: number
  /** Uploads are refused while the disk is fuller than this share, 0 to 1. */
  readonly highWater: number
}

/** How often the disk is asked at most, in ms. */
const askEveryMs = 500

/** Refuses uploads before the disk is full. */
export class DiskGuard {
  /** A switch to see what a full disk does. */
  simulatesFull = false
  readonly #limits: DiskLimits
  readonly #folder: string
  readonly #clock: Clock
  #usedBytes = 0
  #askedMs = Number.NEGATIVE_INFINITY
  #isHigh = false

  constructor(folder: string, limits: DiskLimits, clock: Clock) {
    this.#folder = folder
    this.#limits = limits
    this.#clock = clock
  }

  /** Bytes that are taken now. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  get quotaBytes(): number {
    return this.#limits.quotaBytes
  }

  /** Takes bytes, before they are written. Throws DISK_FULL and takes none. */
  async take(bytes: number): Promise<void> {
    this.checkRoom(bytes)
    // Counted before anything is awaited: two uploads must not both see the last room.
    this.#usedBytes += bytes
    try {
      await this.#ask()
    } catch (error) {
      this.give(bytes)
      throw error
    }
  }

  /** Throws DISK_FULL when so many bytes would not fit into the quota. */
  checkRoom(bytes: number): void {
    if (this.simulatesFull) throw fault('DISK_FULL', 'the disk is full (simulated)')
    if (this.#usedBytes + bytes > this.#limits.quotaBytes)
      throw fault('DISK_FULL', `the quota of ${this.#limits.quotaBytes} bytes is used up`)
  }

  /** Counts bytes that are on disk already, whether or not there was room; or no longer, below 0. */
  count(bytes: number): void {
    this.#usedBytes = Math.max(0, this.#usedBytes + bytes)
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.count(-bytes)
  }

  async #ask(): Promise<void> {
    const nowMs = this.#clock.monotonic()
    if (nowMs - this.#askedMs >= askEveryMs) {
      this.#askedMs = nowMs
      const { blocks, bavail } = await statfs(this.#folder)
      this.#isHigh = 1 - bavail / blocks > this.#limits.highWater
    }
    if (this.#isHigh)
      throw fault(
        'DISK_FULL',
        `the disk is over ${Math.round(this.#limits.highWater * 100)} % full`,
      )
  }
}
