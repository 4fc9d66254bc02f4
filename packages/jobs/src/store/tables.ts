/**
 * The tables, the same in both databases. Times are ms since 1970, booleans 0 or 1, and `json` in a
 * comment means text that holds JSON.
 */
export interface Tables {
  messages: MessagesTable
  contents: ContentsTable
  deliveries: DeliveriesTable
  delivery_attempts: DeliveryAttemptsTable
  users: UsersTable
  signing_keys: SigningKeysTable
  hosts: HostsTable
  refresh_tokens: RefreshTokensTable
  revoked_tokens: RevokedTokensTable
  login_failures: LoginFailuresTable
  schedules: SchedulesTable
  idempotency_keys: IdempotencyKeysTable
  submission_counts: SubmissionCountsTable
  schema_version: { version: number }
}

/**
 * Where a job stands.
 *
 *   delayed ──▶ waiting ──▶ publishing ──▶ queued ──▶ working ──▶ done
 *      ▲           ▲             │                       │ ├────▶ dead
 *      │           └─ claim over ┴───────────────────────┤ │
 *      └──────────────────────── to be tried again ──────┘ │
 *   cancelled ◀── from everything but done and dead ───────┘
 *
 * The publisher claims a waiting job, and a worker a queued one. A claim that is over, because its
 * owner died, puts the job back. `retry` starts a dead, done or cancelled one again as the next run.
 */
export type JobState =
  | 'delayed'
  | 'waiting'
  | 'publishing'
  | 'queued'
  | 'working'
  | 'done'
  | 'dead'
  | 'cancelled'

interface MessagesTable {
  id: string
  /** The account that submitted it, and that alone may see it. */
  owner_id: string
  /** What the request called its user, told back in the callback. json */
  user_id: string
  request_url: string
  type: number
  is_processed: number
  is_processing: number
  callback_url: string | null
  date_added: number
  date_process_complete: number | null
  state: JobState
  updated_ms: number
  priority: number
  due_ms: number
  attempt: number
  attempts_max: number
  /** Counts from 1, raised each time that somebody starts it again. */
  run: number
  batch_id: string | null
  schedule_id: string | null
  traceparent: string | null
  /** Who works on it, and until when. */
  claim: string | null
  claim_until_ms: number
  /** How often a worker died over it. */
  losses: number
  /** The turn that it has at its host; 0 when it has none. */
  turn_ms: number
  reason_code: string | null
  reason: string | null
  content_hash: string | null
  whole_hash: string | null
  /** json of JobResult */
  result: string | null
}

interface ContentsTable {
  /** SHA-256 of the unpacked content, in hex. */
  hash: string
  /** Packed with zstd. */
  packed: Uint8Array
  bytes: number
  packed_bytes: number
  /** When a job last had it; what no job has any more is removed some time after. */
  kept_ms: number
}

/** From when on a host may be asked again, over all workers. */
interface HostsTable {
  host: string
  free_at_ms: number
}

/** Where a callback stands: `gone` when the receiver answered 410. */
export type DeliveryState = 'pending' | 'delivering' | 'delivered' | 'failed' | 'gone'

interface DeliveriesTable {
  /** The webhook id: the job's id and the number of its run. */
  id: string
  job_id: string
  owner_id: string
  url: string
  traceparent: string | null
  /** The origin of the address. */
  receiver: string
  body: string
  state: DeliveryState
  attempt: number
  due_ms: number
  created_ms: number
  claim: string | null
  claim_until_ms: number
}

interface DeliveryAttemptsTable {
  delivery_id: string
  attempt: number
  at_ms: number
  took_ms: number
  status: number | null
  answer: string | null
  error: string | null
}

interface UsersTable {
  id: string
  email: string
  password: string
  role: 'user' | 'admin'
  created_ms: number
  /** Tokens issued before it are void. */
  tokens_from_ms: number
  disabled: number
  webhook_secret: string
  webhook_secret_before: string | null
  /** The older secret signs, too, until then. */
  webhook_before_until_ms: number
  /** What this account may instead of what everybody may; null is that. */
  unfinished_max: number | null
  per_minute_max: number | null
}

interface SigningKeysTable {
  kid: string
  secret: string
  created_ms: number
}

interface RefreshTokensTable {
  /** SHA-256 of the token, in hex: a stolen store gives no tokens. */
  hash: string
  /** All tokens that descend from one login. */
  family: string
  user_id: string
  expires_ms: number
  used: number
}

interface RevokedTokensTable {
  jti: string
  expires_ms: number
}

interface LoginFailuresTable {
  key: string
  failures: number
  until_ms: number
  last_ms: number
}

interface SchedulesTable {
  id: string
  owner_id: string
  cron: string
  time_zone: string
  /** json of ScheduledJob */
  job: string
  paused: number
  next_ms: number | null
  last_ms: number | null
  last_job_id: string | null
  created_ms: number
}

interface IdempotencyKeysTable {
  owner_id: string
  key: string
  /** SHA-256 of the request that came with the key first, in hex. */
  fingerprint: string
  created_ms: number
}

/** What each account submitted in each minute, over all replicas. */
interface SubmissionCountsTable {
  owner_id: string
  minute_ms: number
  count: number
}
