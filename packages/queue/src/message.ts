/** One message as a producer hands it in. */
export interface Message {
  readonly value: Uint8Array
  /** Messages of one key go to one partition and keep their order; compaction keeps the last of each. */
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  /** The partition to take; without it the key decides, and without a key they take turns. */
  readonly partition?: number
  /** 0 (default) to 9; workers get higher ones first. Reading by offset ignores it. */
  readonly priority?: number
  /** Workers do not get it before this wall time, in ms since 1970. Reading by offset ignores it. */
  readonly dueMs?: number
  /** A second message with this key is not stored while the topic's dedupe window lasts. */
  readonly dedupeKey?: string
}

/** One message as it stands in the log. */
export interface QueueRecord {
  readonly topic: string
  readonly partition: number
  /** Its place in the partition, from 0, for ever. */
  readonly offset: number
  /** When the broker stored it, in ms since 1970. */
  readonly timeMs: number
  readonly value: Uint8Array
  readonly key: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly priority: number
  /** 0 when it was due at once. */
  readonly dueMs: number
  readonly dedupeKey: string | undefined
}

/** Where a message was stored. */
export interface Receipt {
  readonly partition: number
  readonly offset: number
  /** It was there already (same dedupe key, or a repeated batch), and this is where. */
  readonly duplicate: boolean
}
