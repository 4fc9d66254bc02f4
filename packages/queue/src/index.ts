export { type ConsumeRun, runConsume } from './course/cli/consume.ts'
export { type ProduceRun, runProduce } from './course/cli/produce.ts'
export { type CourseApi, type CourseApiOptions, createCourseApi } from './course/course-api.ts'
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
