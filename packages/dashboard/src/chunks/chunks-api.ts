import type { PartClient } from '../client/part.ts'

/** A request of the chunk service, as its API tells of it. */
export interface ChunkRequest {
  readonly id: string
  readonly name: string
  /** How it is cut: `letters a-c,d-z`. */
  readonly by: string
  readonly output: string
  readonly bytes: number
  readonly state: string
  readonly createdAtMs: number
  readonly endedAtMs?: number
  /** From 0 to 1. */
  readonly progress: number
  /** 0 while it is worked on, 1 for the next one. */
  readonly place?: number
  readonly estimateMs?: number
  readonly pieces?: number
  readonly error?: { readonly code: string; readonly message: string }
}

/** What the service does as a whole. */
export interface ChunkStatus {
  readonly bytesPerSecond: number
  readonly tasks: { readonly running: number; readonly repeated: number; readonly window: number }
  readonly disk: {
    readonly usedBytes: number
    readonly quotaBytes: number
    readonly simulatesFull: boolean
  }
}

/** Holds while it can be cancelled; afterwards it can be removed. */
export const isOpen = (state: string) => state === 'waiting' || state === 'working'

export const readStatus = (chunks: PartClient) => chunks.get<ChunkStatus>('/status')

/** Cancels an open one, removes an ended one. */
export const removeRequest = (chunks: PartClient, id: string) => chunks.remove(`/requests/${id}`)

/** Lets the service act as if its disk were full, or no longer. */
export const simulateFull = (chunks: PartClient, full: boolean) => chunks.put(`/disk?full=${full}`)
