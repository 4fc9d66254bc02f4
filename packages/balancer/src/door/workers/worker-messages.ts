import type { EngineEvent, EngineStats, Plan, RefusedRequest } from '../../plan.ts'

/** What the engine asks of a worker; each is answered by one `WorkerAnswer` with its number. */
export type WorkerRequest =
  | { readonly number: number; readonly kind: 'apply'; readonly plan: Plan }
  | { readonly number: number; readonly kind: 'stats' }
  | { readonly number: number; readonly kind: 'refused' }
  | { readonly number: number; readonly kind: 'stop'; readonly graceMs: number }

export interface WorkerAnswer {
  readonly number: number
  readonly ports?: Readonly<Record<string, number>>
  readonly stats?: EngineStats
  readonly refused?: readonly RefusedRequest[]
  /** A fault of the table in errors.ts that the request ended with. */
  readonly failed?: { readonly code: string; readonly message: string }
}

/** What a worker sends: answers, and events as they happen. */
export type WorkerMessage = { readonly answer: WorkerAnswer } | { readonly event: EngineEvent }
