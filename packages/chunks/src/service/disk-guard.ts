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
  /** Bytes that are taken now. */
  usedBytes = 0
  /** A switch to see what a full disk does. */
  simulatesFull = false
  readonly #limits: DiskLimits
  readonly #folder: string
  readonly #clock: Clock
  #askedMs = Number.NEGATIVE_INFINITY
  #isHigh = false

  constructor(folder: string, limits: DiskLimits, clock: Clock) {
    this.#folder = folder
    this.#limits = limits
    this.#clock = clock
  }

  get quotaBytes(): number {
    return this.#limits.quotaBytes
  }

  /** Takes bytes, before they are written. Throws DISK_FULL and takes none. */
  async take(bytes: number): Promise<void> {
    if (this.simulatesFull) throw fault('DISK_FULL', 'the disk is full (simulated)')
    if (this.usedBytes + bytes > this.#limits.quotaBytes)
      throw fault('DISK_FULL', `the quota of ${this.#limits.quotaBytes} bytes is used up`)
    // Counted before anything is awaited: two uploads must not both see the last room.
    this.usedBytes += bytes
    try {
      await this.#ask()
    } catch (error) {
      this.give(bytes)
      throw error
    }
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.usedBytes = Math.max(0, this.usedBytes - bytes)
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
