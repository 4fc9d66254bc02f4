import { nameKey } from '../names.ts'

/** What Drover writes on every container that it makes. */
export const labels = {
  /** The data folder that it belongs to; the same for every run. */
  instance: 'drover.instance',
  /** The run of the supervisor that made it. */
  run: 'drover.run',
  group: 'drover.group',
  replica: 'drover.replica',
} as const

/** Which supervisor a container belongs to. */
export interface Owner {
  readonly instance: string
  readonly run: string
}

/** Returns the container's name for a replica: blanks made underscores, and at least two letters. */
export function containerName(replica: string, group: string): string {
  const name = nameKey(replica)
  return name.length > 1 ? name : `${group}_${name}`
}
