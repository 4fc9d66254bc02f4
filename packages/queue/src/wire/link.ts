/** What one call brought back. */
export interface Reply {
  readonly result: unknown
  /** The batches that came with it, one after the other; empty when none did. */
  readonly bytes: Buffer
}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** How long the other side may wait by itself; added to the deadline. */
  readonly waitMs?: number
}

/** A way to call a broker or the manager: over TCP, or within this process. */
export interface Link {
  /** Throws the fault that the other side threw, BROKER_UNREACHABLE, or the signal's reason. */
  call(
    method: string,
    params: object,
    parts?: readonly Buffer[],
    options?: CallOptions,
  ): Promise<Reply>
  close(): Promise<void>
}

/** What a call gives back before it is on the wire. */
export interface Answer {
  readonly result: unknown
  readonly parts?: readonly Buffer[]
}

/** Answers calls: the other end of a link. */
export type Handler = (
  method: string,
  params: object,
  bytes: Buffer,
  signal: AbortSignal,
) => Promise<Answer>

/** Returns a link that calls `handler` in this process; the same values pass as over the wire. */
export function createLocalLink(handler: Handler): Link {
  const never = new AbortController().signal
  return {
    async call(method, params, parts = [], options = {}) {
      // The broker stamps batches in place, so it must not get the caller's own bytes.
      const answer = await handler(
        method,
        JSON.parse(JSON.stringify(params)),
        Buffer.concat(parts),
        options.signal ?? never,
      )
      const { result = null } = answer
      return {
        result: JSON.parse(JSON.stringify(result)),
        bytes: Buffer.concat(answer.parts ?? []),
      }
    },
    async close() {},
  }
}
