import { type Static, Type } from '@drover/kernel'
import { JsonMessage } from './json-message.ts'

const strict = { additionalProperties: false } as const
const count = (maximum: number) => Type.Optional(Type.Integer({ minimum: 1, maximum }))
const waitMs = Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000 }))
const name = Type.String({ minLength: 1, maxLength: 249 })
const tokens = Type.Array(Type.String(), { minItems: 1, maxItems: 10_000 })

export const TopicPath = Type.Object({ topic: name })
export const PartitionPath = Type.Object({ topic: name, partition: Type.Integer({ minimum: 0 }) })
export const GroupPath = Type.Object({ topic: name, group: name })
export const MemberPath = Type.Object({ topic: name, group: name, member: name })
export const BrokerPath = Type.Object({ broker: name })

const TopicWishes = Type.Object(
  {
    partitions: Type.Optional(Type.Integer()),
    retentionMs: Type.Optional(Type.Number()),
    retentionBytes: Type.Optional(Type.Number()),
    compact: Type.Optional(Type.Boolean()),
    attemptsMax: Type.Optional(Type.Integer()),
    deadLetter: Type.Optional(Type.String()),
    backoff: Type.Optional(Type.Object({ firstMs: Type.Number(), mostMs: Type.Number() }, strict)),
    dedupeMs: Type.Optional(Type.Number()),
    concurrencyMax: Type.Optional(Type.Integer()),
    rateMax: Type.Optional(Type.Number()),
    keyConcurrencyMax: Type.Optional(Type.Integer()),
    keyRateMax: Type.Optional(Type.Number()),
  },
  strict,
)
export const NewTopic = Type.Object({ name, options: Type.Optional(TopicWishes) }, strict)
export const MorePartitions = Type.Object({ count: Type.Integer({ minimum: 1 }) }, strict)

export const Batch = Type.Object(
  { messages: Type.Array(JsonMessage, { minItems: 1, maxItems: 65_536 }) },
  strict,
)
export const ProduceQuery = Type.Object(
  {
    acks: Type.Optional(Type.Union([Type.Literal('disk'), Type.Literal('memory')])),
    partition: Type.Optional(Type.Integer({ minimum: 0 })),
    key: Type.Optional(Type.String()),
    producer: Type.Optional(Type.Integer({ minimum: 1 })),
    epoch: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
    sequence: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295 })),
  },
  strict,
)
export const FetchQuery = Type.Object(
  {
    offset: Type.Optional(Type.Integer({ minimum: 0 })),
    timeMs: Type.Optional(Type.Integer({ minimum: 0 })),
    from: Type.Optional(Type.Union([Type.Literal('earliest'), Type.Literal('latest')])),
    messagesMax: count(65_536),
    bytesMax: count(16_777_216),
    waitMs,
    stream: Type.Optional(Type.Boolean({ description: 'go on until the reader hangs up' })),
  },
  strict,
)
export const LeaseWishes = Type.Object(
  {
    group: Type.Optional(name),
    count: count(10_000),
    leaseMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 43_200_000 })),
    waitMs,
  },
  strict,
)
export const Tokens = Type.Object({ tokens }, strict)
export const TokensBack = Type.Object(
  {
    tokens,
    delayMs: Type.Optional(Type.Integer({ minimum: 0 })),
    dead: Type.Optional(Type.Boolean()),
    reason: Type.Optional(Type.String({ maxLength: 1_000 })),
  },
  strict,
)
export const TokensLonger = Type.Object(
  { tokens, leaseMs: Type.Integer({ minimum: 1, maximum: 43_200_000 }) },
  strict,
)
export const Target = Type.Object(
  {
    dedupeKey: Type.Optional(Type.String({ minLength: 1 })),
    partition: Type.Optional(Type.Integer({ minimum: 0 })),
    offset: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  strict,
)
export const GroupQuery = Type.Object({ group: Type.Optional(name) }, strict)
export const PeekQuery = Type.Object({ group: Type.Optional(name), count: count(1_000) }, strict)
export const Joining = Type.Object(
  { sessionMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 3_600_000 })) },
  strict,
)
export const Commit = Type.Object(
  {
    offset: Type.Integer({ minimum: 0 }),
    member: Type.Optional(name),
    generation: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  strict,
)
const address = Type.Optional(
  Type.String({ maxLength: 300, description: 'HOST:PORT of one that `drover queue broker` runs' }),
)
export const NewBroker = Type.Object({ name, address }, strict)

export type ProduceQuery = Static<typeof ProduceQuery>
export type FetchQuery = Static<typeof FetchQuery>
export type Commit = Static<typeof Commit>
