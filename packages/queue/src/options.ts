import { fault } from './errors.ts'
import type { TopicOptions } from './queue-engine.ts'

/** The defaults of a topic; see TopicOptions for the meaning. */
export const topicDefaults: Required<TopicOptions> = {
  /** More spread over more brokers and workers; each costs a folder and some 10 KB of memory. */
  partitions: 4,
  /** Bounded by default, so that nobody's disk fills unasked: a week. */
  retentionMs: 604_800_000,
  /** 8 GiB for each partition. */
  retentionBytes: 8_589_934_592,
  compact: false,
  attemptsMax: 20,
  deadLetter: '',
  backoff: { firstMs: 1_000, mostMs: 3_600_000 },
  /** Each remembered key costs some 150 bytes of memory for so long. */
  dedupeMs: 300_000,
  concurrencyMax: 0,
  rateMax: 0,
  keyConcurrencyMax: 0,
  keyRateMax: 0,
}

/** What a queue takes, and where it refuses. */
export interface QueueLimits {
  /** Bytes of one message: key, headers and value together. */
  readonly messageBytesMax: number
  /** Bytes of one batch (all messages of a produce call for one partition). */
  readonly batchBytesMax: number
  /** Messages of one batch. */
  readonly batchMessagesMax: number
  readonly topicsMax: number
  readonly partitionsPerTopicMax: number
  /** Partitions of all topics together. */
  readonly partitionsMax: number
  /** Messages of one partition that wait with a priority or a due time; each costs some 100 bytes. */
  readonly scheduledMax: number
  /** Dedupe keys remembered in one partition; the oldest are forgotten first beyond it. */
  readonly dedupeKeysMax: number
  /** Messages that one group of workers may hold out of order in one partition. */
  readonly outstandingMax: number
  /** Produce is refused when the disk is fuller than this share. */
  readonly diskUsedMax: number
  /** And when the broker's own files take more than this. 0 means no limit. */
  readonly dataBytesMax: number
}

export const limitDefaults: QueueLimits = {
  messageBytesMax: 1_048_576,
  batchBytesMax: 8_388_608,
  batchMessagesMax: 65_536,
  topicsMax: 1_000,
  partitionsPerTopicMax: 1_024,
  partitionsMax: 10_000,
  scheduledMax: 1_000_000,
  dedupeKeysMax: 1_000_000,
  outstandingMax: 100_000,
  diskUsedMax: 0.95,
  dataBytesMax: 0,
}

/** How the log is cut and synced. */
export interface LogOptions {
  /**
   * A write-ahead file is handed on to the segments at this size; up to three are in memory. The disk
   * keeps up to five of them ready once there was much to write.
   */
  readonly walBytes: number
  /** A segment ends at this size; retention removes whole segments. */
  readonly segmentBytes: number
  /** One index entry for so many bytes: smaller finds an offset with less reading, and costs memory. */
  readonly indexEveryBytes: number
  /** Most bytes written by one group commit. Larger is faster, smaller answers sooner. */
  readonly commitBytesMax: number
  /** Bytes waiting for their group commit before BROKER_BUSY. */
  readonly waitingBytesMax: number
}

export const logDefaults: LogOptions = {
  walBytes: 25_165_824,
  segmentBytes: 134_217_728,
  indexEveryBytes: 65_536,
  commitBytesMax: 4_194_304,
  waitingBytesMax: 67_108_864,
}

/** Times of leases, groups and connections, in ms. */
export const timeDefaults = {
  /** Within this a crashed worker's messages are handed out again. */
  leaseMs: 30_000,
  leaseMsMax: 43_200_000,
  /** A group's member that is silent for so long has left. */
  sessionMs: 10_000,
  /** The longest wait of a fetch or lease for its first message. */
  waitMsMax: 60_000,
  /** How long a call to a broker may take, its wait not counted. */
  requestMs: 10_000,
} as const

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  partitions: [1, 1_024],
  retentionMs: [0, 1e13],
  retentionBytes: [0, Number.MAX_SAFE_INTEGER],
  attemptsMax: [1, 1_000_000],
  dedupeMs: [0, 604_800_000],
  concurrencyMax: [0, 1e9],
  rateMax: [0, 1e9],
  keyConcurrencyMax: [0, 1e9],
  keyRateMax: [0, 1e9],
}

/** Returns all options of a topic, checked. Throws OPTION_INVALID that names the option and the value. */
export function completeTopicOptions(topic: string, wishes: TopicOptions): Required<TopicOptions> {
  const options = { ...topicDefaults, deadLetter: deadLetterOf(topic), ...wishes }
  for (const [key, [least, most]] of Object.entries(ranges)) {
    const value = options[key as keyof TopicOptions]
    if (typeof value !== 'number' || !(value >= least && value <= most))
      throw fault('OPTION_INVALID', `${key} is ${value}; it must be from ${least} to ${most}`)
  }
  checkTypes(options)
  if (!Number.isInteger(options.partitions) || !Number.isInteger(options.attemptsMax))
    throw fault('OPTION_INVALID', 'partitions and attemptsMax must be whole numbers')
  const { partitions, concurrencyMax } = options
  if (concurrencyMax > 0 && concurrencyMax < partitions)
    throw fault(
      'OPTION_INVALID',
      `concurrencyMax is ${concurrencyMax}; each of the ${partitions} partitions needs one of it, so take fewer`,
    )
  const { firstMs, mostMs } = options.backoff
  if (!(firstMs >= 0 && mostMs >= firstMs && mostMs <= 2_592_000_000))
    throw fault('OPTION_INVALID', `backoff goes from ${firstMs} to ${mostMs} ms`)
  if (options.deadLetter !== '') checkName('topic', options.deadLetter)
  return options
}

/** What comes over the wire may be anything. */
function checkTypes({ compact, deadLetter, backoff }: Record<string, unknown>): void {
  const wrong = (name: string, wanted: string) => fault('OPTION_INVALID', `${name} is no ${wanted}`)
  if (typeof compact !== 'boolean') throw wrong('compact', 'true or false')
  if (typeof deadLetter !== 'string') throw wrong('deadLetter', 'text')
  if (typeof backoff !== 'object' || backoff === null) throw wrong('backoff', 'pair of times')
}

/** The dead letters of dead letters are dropped, or they would go round for ever. */
function deadLetterOf(topic: string): string {
  return topic.endsWith('.dead') ? '' : `${topic.slice(0, 244)}.dead`
}

/** Throws NAME_INVALID unless `name` can name a `what`: 1 to 249 letters, digits, _ . - or :. */
export function checkName(what: string, name: string): void {
  if (typeof name !== 'string') throw fault('NAME_INVALID', `the name of a ${what} is a text`)
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,248}$/.test(name))
    throw fault(
      'NAME_INVALID',
      `"${name.slice(0, 60)}" cannot name a ${what}: 1 to 249 letters, digits, _ . - : and no . - : first`,
    )
}

/** Throws OPTION_INVALID unless a lease may last for `leaseMs`. */
export function checkLeaseMs(leaseMs: number, mostMs: number = timeDefaults.leaseMsMax): void {
  if (!(leaseMs >= 1 && leaseMs <= mostMs))
    throw fault('OPTION_INVALID', `leaseMs is ${leaseMs}; it must be from 1 to ${mostMs}`)
}
