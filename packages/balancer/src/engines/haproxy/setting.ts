import type { AnswerFiles } from './answer-files.ts'
import type { Backend } from './slots.ts'

/** What a configuration is made for, beside the plan. */
export interface HaproxySetting {
  /** The private folder; sockets and certificates lie in it. */
  readonly folder: string
  /** The real port of each listener. */
  readonly ports: Readonly<Record<string, number>>
  readonly threads: number | undefined
  /** Told on the admin socket, to see which configuration answers. */
  readonly generation: number
  /** Client connections that the system has files for. */
  readonly connectionsMax: number
  readonly backends: readonly Backend[]
  /** Gathers the answers that the configuration names. */
  readonly answers: AnswerFiles
}
