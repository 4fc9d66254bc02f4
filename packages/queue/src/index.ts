export { type RunningBroker, serveBroker } from './broker/serve-broker.ts'
export { QueueClient } from './client/queue-client.ts'
export { type ConsumeRun, runConsume } from './course/cli/consume.ts'
export { type ProduceRun, runProduce } from './course/cli/produce.ts'
export { queueFaults } from './errors.ts'
export type { Message, QueueRecord, Receipt } from './message.ts'
export { type QueueLimits, topicDefaults } from './options.ts'
export type {
  BrokerAdmin,
  BrokerInfo,
  EngineName,
  Feature,
  Lease,
  Membership,
  QueueEngine,
  TopicInfo,
  TopicOptions,
} from './queue-engine.ts'
export { repairQueue } from './repair-queue.ts'
export {
  type ForeignQueueSettings,
  type RunningForeignQueue,
  startForeignQueue,
} from './start-foreign.ts'
export { connectQueue, type QueueSettings, type RunningQueue, startQueue } from './start-queue.ts'
