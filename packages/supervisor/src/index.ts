export { supervisorFaults } from './errors.ts'
export {
  autoscaleDefaults,
  createGroupSpec,
  type GroupWishes,
  groupDefaults,
  replicasMax,
} from './options.ts'
export type { Ending, Instance, Runtime, SpawnOrder } from './runtime.ts'
export {
  createMemoryRuntime,
  type MemoryBehaviour,
  type MemoryInstance,
  type MemoryRuntime,
} from './runtimes/memory.ts'
export type {
  AutoscaleSpec,
  Group,
  GroupEvent,
  GroupSpec,
  LogLine,
  ReplicaInfo,
  RuntimeSpec,
  Traffic,
} from './spec.ts'
export { createSupervisor, type Supervisor, type SupervisorOptions } from './supervisor.ts'
