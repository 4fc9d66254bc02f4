import type { ExperimentName } from './catalogue.ts'
import type { Report } from './report.ts'
import type { Run } from './run.ts'

/** What each experiment of the catalogue runs; its file is loaded when it does. */
export const experiments: Readonly<Record<ExperimentName, (run: Run) => Promise<Report>>> = {
  a1: async (run) => (await import('./a1.ts')).runA1(run),
  a2: async (run) => (await import('./a2.ts')).runA2(run),
  a3: async (run) => (await import('./a3.ts')).runA3(run),
  a4: async (run) => (await import('./a4.ts')).runA4(run),
  'round-robin': async (run) => (await import('./policies.ts')).runRoundRobin(run),
  weighted: async (run) => (await import('./policies.ts')).runWeighted(run),
  'least-connections': async (run) => (await import('./policies.ts')).runLeastConnections(run),
  'replica-down': async (run) => (await import('./replica-down.ts')).runReplicaDown(run),
  'parallel-calls': async (run) => (await import('./parallel-calls.ts')).runParallelCalls(run),
  'queue-restart': async (run) => (await import('./queue-restart.ts')).runQueueRestart(run),
  chunks: async (run) => (await import('./chunks.ts')).runChunks(run),
  herd: async (run) => (await import('./herd.ts')).runHerd(run),
}
