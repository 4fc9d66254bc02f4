import { nearest } from '@drover/kernel'
import { fault } from '../errors.ts'
import { runA1 } from './a1.ts'
import { runA2 } from './a2.ts'
import { runA3 } from './a3.ts'
import { runA4 } from './a4.ts'
import type { Experiment } from './experiment.ts'
import { runFiles } from './files.ts'
import { runShares } from './shares.ts'

/** Every experiment by its name; the one place to add to. */
export const experiments: Readonly<Record<string, Experiment>> = {
  a1: {
    title: 'A-1: who answers, on three replicas',
    says: 'requests of each of three replicas, 10,000 at once',
    minutes: 0.5,
    steps: 1,
    run: runA1,
  },
  a2: {
    title: 'A-2: from two to six replicas',
    says: 'the same on two to six replicas',
    minutes: 1,
    steps: 5,
    run: runA2,
  },
  a3: {
    title: 'A-3: every endpoint, and replicas that die',
    says: 'every endpoint, and how soon a dead replica is replaced',
    minutes: 0.5,
    steps: 2,
    run: runA3,
  },
  a4: {
    title: 'A-4: other hash functions',
    says: 'a1 and a2 with other hash functions',
    minutes: 3,
    steps: 30,
    run: runA4,
  },
  shares: {
    title: 'How policies share requests',
    says: 'how policies share 100 requests',
    minutes: 0.2,
    steps: 4,
    run: runShares,
  },
  files: {
    title: 'One backend against three',
    says: 'one backend against three, by file size and parallel calls',
    minutes: 0.5,
    steps: 2,
    run: runFiles,
  },
}

/** Returns the experiment of that name. Throws EXPERIMENT_UNKNOWN that names the nearest. */
export function findExperiment(name: string): Experiment {
  const experiment = Object.hasOwn(experiments, name) ? experiments[name] : undefined
  if (experiment) return experiment
  const known = [...Object.keys(experiments), 'all']
  const near = nearest(name, known)
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean "${near}"?`
  throw fault('EXPERIMENT_UNKNOWN', `no experiment is called "${name}"; ${hint}`)
}
