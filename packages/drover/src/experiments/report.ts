import type { Chart } from './charts/charts.ts'

/** What an experiment found out. */
export interface Report {
  /** What it asks. */
  readonly question: string
  /** What was run and sent, so that somebody else can do it again. */
  readonly setup: readonly string[]
  /** The answer, in sentences with figures. */
  readonly findings: readonly string[]
  /** What must hold whatever the figures are; one that does not makes the experiment fail. */
  readonly claims: readonly Claim[]
  readonly charts: readonly Chart[]
  readonly tables: readonly Table[]
  /** What the course's document reports, in sentences with its figures; none when it states none. */
  readonly reported?: readonly string[]
}

export interface Claim {
  readonly says: string
  readonly holds: boolean
}

export interface Table {
  readonly title: string
  readonly heading: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

/** A report, and all that says how it was made. */
export interface Finished {
  /** As on the command line: `a1`. */
  readonly name: string
  readonly title: string
  readonly report: Report
  /** The command that makes it again. */
  readonly command: string
  /** Of the machine, in words. */
  readonly machine: readonly string[]
  /** Wall time, ms since 1970. */
  readonly startedAtMs: number
  readonly tookMs: number
}

/** Holds when nothing that the experiment checks was found otherwise. */
export function isSound({ report }: Finished): boolean {
  return report.claims.every(({ holds }) => holds)
}
