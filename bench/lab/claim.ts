import type { Lab } from './lab.ts'

/** One claim of the README and the measurement that holds it to account. */
export interface Claim {
  /** As in `npm run bench -- <name>`. */
  readonly name: string
  /** One line for the list of names. */
  readonly about: string
  /** Measures and prints. Throws only when something broke: a missed goal is a printed figure. */
  run(lab: Lab): Promise<void>
}
