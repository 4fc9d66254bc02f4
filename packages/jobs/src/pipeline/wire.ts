import type { Submission } from '../job.ts'

/** What stands in a typed queue: the store has the rest. */
export interface JobCall {
  readonly id: string
  readonly run: number
  /** Whether workers have died over it, so that it is done while no other such job is. */
  readonly suspect: boolean
}

/** Returns a submission as the message queue carries it: JSON, an absent field left out. */
export function encodeSubmission(submission: Submission): Uint8Array {
  return Buffer.from(JSON.stringify(submission))
}

/** Returns the submission in a message; undefined when it is none of ours. */
export function decodeSubmission(value: Uint8Array): Submission | undefined {
  const found = parse(value) as Partial<Submission> | undefined
  if (!found || typeof found.id !== 'string' || typeof found.ownerId !== 'string') return undefined
  if (typeof found.url !== 'string' || ![1, 2, 3].includes(found.type ?? 0)) return undefined
  const numbers = [found.addedMs, found.priority, found.dueMs, found.attemptsMax]
  if (!numbers.every((number) => Number.isSafeInteger(number))) return undefined
  if (typeof found.userId !== 'string' && typeof found.userId !== 'number') return undefined
  return { callbackUrl: undefined, batchId: undefined, ...found } as Submission
}

export function encodeCall(call: JobCall): Uint8Array {
  return Buffer.from(JSON.stringify(call))
}

/** Returns the call in a message; undefined when it is none of ours. */
export function decodeCall(value: Uint8Array): JobCall | undefined {
  const found = parse(value) as Partial<JobCall> | undefined
  if (typeof found?.id !== 'string' || typeof found.run !== 'number') return undefined
  return { id: found.id, run: found.run, suspect: found.suspect === true }
}

function parse(value: Uint8Array): object | undefined {
  try {
    const found: unknown = JSON.parse(new TextDecoder().decode(value))
    return typeof found === 'object' && found !== null ? found : undefined
  } catch {
    // No JSON, so none of ours.
    return undefined
  }
}
