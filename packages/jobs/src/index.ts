export { type AccountOptions, accountDefaults } from './accounts/options.ts'
export { type ApiOptions, apiDefaults } from './api/options.ts'
export { Submitter } from './api/submit.ts'
export { type CallbackOptions, callbackDefaults } from './callbacks/options.ts'
export {
  type ClientOptions,
  JobsClient,
  type JobView,
  type LoginView,
  type ScheduleView,
} from './client.ts'
export { jobsFaults } from './errors.ts'
export { createGuard } from './fetching/guard.ts'
export type { Job, JobResult } from './job.ts'
export {
  type FetchOptions,
  fetchDefaults,
  type ReadingOptions,
  readingDefaults,
} from './options.ts'
export { type PipelineOptions, pipelineDefaults } from './pipeline/options.ts'
export { createPipeline, type PipelineParts, type Role, roles } from './pipeline.ts'
export { createReplica, type ReplicaParts } from './replica.ts'
export {
  type JobsSettings,
  type Part,
  parts,
  prepareJobs,
  type RunningJobs,
  startJobs,
} from './serve.ts'
export { type RetentionOptions, retentionDefaults } from './store/retention-options.ts'
export { openStores, type StoreOptions, type Stores } from './stores.ts'
