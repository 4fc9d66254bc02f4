import { fault } from '../errors.ts'
import type { Message } from '../message.ts'
import type { QueueLimits } from '../options.ts'
import { timeDefaults } from '../options.ts'
import type {
  EngineName,
  Feature,
  LeaseOptions,
  ProduceOptions,
  QueueEngine,
  TopicOptions,
} from '../queue-engine.ts'

/** What an engine says no to, by its name and what it lacks. */
export interface Refusal {
  /** Throws FEATURE_MISSING when the engine lacks `feature`. */
  needs(feature: Feature): void
  /** Throws FEATURE_MISSING for options of a topic that need what the engine lacks. */
  checkTopicOptions(options: TopicOptions): void
  /** Throws FEATURE_MISSING, MESSAGE_INVALID, MESSAGE_TOO_LARGE and BATCH_TOO_LARGE. */
  checkBatch(messages: readonly Message[], options: ProduceOptions): void
}

/** Returns the checks of an engine that lacks `lacks`. */
export function createRefusal(
  name: EngineName,
  lacks: ReadonlySet<Feature>,
  limits: QueueLimits,
): Refusal {
  const needs = (feature: Feature) => {
    if (lacks.has(feature))
      throw fault('FEATURE_MISSING', `the ${name} engine lacks ${feature}; see the README's table`)
  }
  return {
    needs,
    checkTopicOptions(options) {
      for (const [feature, wished] of featuresOf(options)) if (wished) needs(feature)
    },
    checkBatch(messages, { sequence }) {
      if (sequence) needs('idempotent-producer')
      if (messages.length > limits.batchMessagesMax)
        throw fault('BATCH_TOO_LARGE', `${messages.length} messages, of ${limits.batchMessagesMax}`)
      let bytes = 0
      for (const message of messages) {
        checkMessage(message, limits, needs)
        bytes += message.value.length
      }
      if (bytes > limits.batchBytesMax)
        throw fault('BATCH_TOO_LARGE', `${bytes} bytes, of ${limits.batchBytesMax}`)
    },
  }
}

function featuresOf(options: TopicOptions): readonly (readonly [Feature, boolean])[] {
  const { partitions = 1, compact = false, retentionMs = 0, retentionBytes = 0 } = options
  const { concurrencyMax = 0, rateMax = 0, keyConcurrencyMax = 0, keyRateMax = 0 } = options
  return [
    ['partitions', partitions > 1],
    ['compaction', compact],
    ['retention', retentionMs > 0 || retentionBytes > 0],
    ['limits', concurrencyMax > 0 || rateMax > 0],
    ['limits-per-key', keyConcurrencyMax > 0 || keyRateMax > 0],
    ['nack-delay', (options.backoff?.mostMs ?? 0) > 0],
    ['dedupe', options.dedupeMs !== undefined && options.dedupeMs > 0],
  ]
}

function checkMessage(
  message: Message,
  limits: QueueLimits,
  needs: (feature: Feature) => void,
): void {
  const { value, key = '', headers = {}, priority = 0, dueMs = 0, dedupeKey = '' } = message
  if (!(value instanceof Uint8Array)) throw new TypeError('the value of a message must be bytes')
  if (!Number.isInteger(priority) || priority < 0 || priority > 9)
    throw fault('MESSAGE_INVALID', `priority is ${priority}; it must be from 0 to 9`)
  if (!Number.isFinite(dueMs) || dueMs < 0)
    throw fault('MESSAGE_INVALID', `dueMs is ${dueMs}, which is no time`)
  if (priority > 0) needs('priority')
  if (dueMs > 0) needs('delay')
  if (dedupeKey !== '') needs('dedupe')
  const texts = [key, dedupeKey, ...Object.entries(headers).flat()]
  for (const text of texts)
    if (typeof text !== 'string' || !text.isWellFormed())
      throw fault('MESSAGE_INVALID', 'a key or header is no well-formed text')
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), value.length)
  if (bytes > limits.messageBytesMax)
    throw fault('MESSAGE_TOO_LARGE', `${bytes} bytes, of ${limits.messageBytesMax}`)
}

/** Returns the options of a lease call, checked. Throws OPTION_INVALID. */
export function completeLeaseOptions(options: LeaseOptions, limits: QueueLimits) {
  const { group = 'workers', count = 1, leaseMs = timeDefaults.leaseMs, waitMs = 0 } = options
  if (!Number.isInteger(count) || count < 1 || count > limits.outstandingMax)
    throw fault(
      'OPTION_INVALID',
      `count is ${count}; it must be from 1 to ${limits.outstandingMax}`,
    )
  if (!(waitMs >= 0 && waitMs <= timeDefaults.waitMsMax))
    throw fault(
      'OPTION_INVALID',
      `waitMs is ${waitMs}; it must be from 0 to ${timeDefaults.waitMsMax}`,
    )
  return { group, count, leaseMs, waitMs }
}

/** The calls of an engine that not every engine has. */
type Optional =
  | 'fetch'
  | 'bounds'
  | 'join'
  | 'heartbeat'
  | 'leave'
  | 'commit'
  | 'committed'
  | 'cancel'
  | 'peek'
  | 'addPartitions'

const featureOf: Readonly<Record<Optional, Feature>> = {
  fetch: 'replay',
  bounds: 'replay',
  join: 'groups',
  heartbeat: 'groups',
  leave: 'groups',
  commit: 'groups',
  committed: 'groups',
  cancel: 'cancel',
  peek: 'peek',
  addPartitions: 'partitions',
}

/** Returns those of an engine's `calls` that it cannot do: each rejects with FEATURE_MISSING. */
export function refusedCalls<Call extends Optional>(
  refusal: Refusal,
  ...calls: readonly Call[]
): Pick<QueueEngine, Call> {
  const entries = calls.map((call) => [
    call,
    async () => {
      refusal.needs(featureOf[call])
    },
  ])
  return Object.fromEntries(entries) as Pick<QueueEngine, Call>
}
