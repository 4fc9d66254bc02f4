import { nearest } from '@drover/kernel'
import { fault } from '../errors.ts'

/** What is said of an experiment before it runs. */
interface Entry {
  readonly title: string
  /** What it does, in one line. */
  readonly says: string
  /** About how long it takes, in minutes. */
  readonly minutes: number
  /** How often it reports progress. */
  readonly steps: number
}

/** Every experiment by its name, in the order in which `all` runs them; `table.ts` has what each runs. */
export const catalogue = {
  a1: {
    title: 'A-1: who answers, on three replicas',
    says: 'requests of each of three replicas, 10,000 at once',
    minutes: 0.2,
    steps: 1,
  },
  a2: {
    title: 'A-2: from two to six replicas',
    says: 'the same on two to six replicas',
    minutes: 0.5,
    steps: 5,
  },
  a3: {
    title: 'A-3: every endpoint, and replicas that die',
    says: 'every endpoint, and how soon a dead replica is replaced',
    minutes: 0.5,
    steps: 2,
  },
  a4: {
    title: 'A-4: other hash functions',
    says: 'a1 and a2 with other hash functions',
    minutes: 1.2,
    steps: 30,
  },
  'round-robin': {
    title: 'Round robin: everybody in turn',
    says: 'calls and submissions of the fetch pipeline on three replicas, in turn',
    minutes: 0.1,
    steps: 2,
  },
  weighted: {
    title: 'Weighted: 8, 1 and 1',
    says: 'the same by the weights 8, 1 and 1',
    minutes: 0.1,
    steps: 2,
  },
  'least-connections': {
    title: 'Least connections: to the least busy',
    says: 'the same to the replica with the fewest calls under way, one of them slow',
    minutes: 0.2,
    steps: 4,
  },
  'replica-down': {
    title: 'One of three replicas down',
    says: 'a replica is killed while calls go on; the others answer, half each',
    minutes: 0.1,
    steps: 4,
  },
  'parallel-calls': {
    title: 'Many calls at the same time',
    says: 'calls and submissions, 1 to 256 at a time: rate, wait, shares',
    minutes: 0.5,
    steps: 11,
  },
  'queue-restart': {
    title: 'The queue goes away, and nothing is lost',
    says: 'the queue is stopped, started and killed while submissions go on',
    minutes: 0.4,
    steps: 5,
  },
  chunks: {
    title: 'Chunks of a file, on one backend and on three',
    says: 'files of 77 KB, 600 KB and 1.6 MB by letters, on one backend and on three',
    minutes: 0.4,
    steps: 5,
  },
  herd: {
    title: 'The herd: flooding, and servers that are down',
    says: 'how soon the last of five servers has an update; each server killed in turn',
    minutes: 0.6,
    steps: 9,
  },
} as const satisfies Record<string, Entry>

export type ExperimentName = keyof typeof catalogue

export const experimentNames = Object.keys(catalogue) as ExperimentName[]

/** Returns the name as one of the catalogue. Throws EXPERIMENT_UNKNOWN that names the nearest. */
export function experimentNamed(name: string): ExperimentName {
  const found = experimentNames.find((known) => known === name)
  if (found !== undefined) return found
  const known = [...experimentNames, 'all']
  const near = nearest(name, known)
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean "${near}"?`
  throw fault('EXPERIMENT_UNKNOWN', `no experiment is called "${name}"; ${hint}`)
}
