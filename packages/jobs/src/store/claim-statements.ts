import { CompiledQuery } from 'kysely'
import type { Job } from '../job.ts'
import type { Database } from './database.ts'
import { deliveryRow, type EndingRow, type NewDelivery } from './endings.ts'
import type { JobRow } from './rows.ts'
import { isOneOf, placeholder, rowsStatement, textsValue } from './rows-statement.ts'

/** One ending that is to be noted. */
export interface Noted {
  readonly job: Job
  readonly claim: string
  readonly row: EndingRow
  readonly delivery: NewDelivery | undefined
  readonly nowMs: number
}

/** A job that was handed to the publisher. */
export interface PublishedRow {
  readonly id: string
  readonly owner_id: string
  readonly run: number
  readonly losses: number
  readonly priority: number
  readonly due_ms: number
}

/** How the columns of an ending stand behind the id and the claim, and what they are. */
const endingColumns = {
  state: 'text',
  is_processed: 'integer',
  date_process_complete: 'bigint',
  due_ms: 'bigint',
  turn_ms: 'bigint',
  attempt: 'integer',
  content_hash: 'text',
  whole_hash: 'text',
  result: 'text',
  reason: 'text',
  reason_code: 'text',
  updated_ms: 'bigint',
} as const satisfies Record<keyof EndingRow, string>

const endingNames = Object.keys(endingColumns) as (keyof EndingRow)[]

const deliveryColumns = {
  id: 'text',
  job_id: 'text',
  owner_id: 'text',
  url: 'text',
  traceparent: 'text',
  receiver: 'text',
  body: 'text',
  state: 'text',
  attempt: 'integer',
  due_ms: 'bigint',
  created_ms: 'bigint',
  claim: 'text',
  claim_until_ms: 'bigint',
} as const

const deliveryNames = Object.keys(deliveryColumns) as (keyof typeof deliveryColumns)[]

/**
 * The statements that every job goes through, each for many jobs and written once: for SQLite,
 * building a statement takes longer than running it, and one for each job longer than what it does.
 */
export function claimStatements(kind: Database['kind']) {
  const at = (place: number) => placeholder(kind, place)
  const claimText = `update messages
    set state = 'publishing', claim = ${at(1)}, claim_until_ms = ${at(2)}
    where id in (
      select id from messages where state = 'waiting' and type = ${at(3)} and owner_id = ${at(4)}
      order by priority desc, due_ms, id limit ${at(5)}
      ${kind === 'postgres' ? 'for update skip locked' : ''})
    returning id, owner_id, run, losses, priority, due_ms`
  const beginText = `update messages
    set state = 'working', attempt = attempt + 1, is_processing = 1, claim = ${at(1)},
      claim_until_ms = ${at(2)}, updated_ms = ${at(3)}
    where ${isOneOf(kind, 'id', 4)} and run = ${at(5)} and state in ('publishing', 'queued')
    returning *`
  const lockText = `select id from messages where ${isOneOf(kind, 'id', 1)} order by id for update`
  const extendText = `update messages set claim_until_ms = ${at(1)}
    where ${isOneOf(kind, 'id', 2)} and ${isOneOf(kind, 'claim', 3)} returning id, claim`
  const end = rowsStatement<{ id: string }>(kind, 2 + endingNames.length, endText)
  const deliver = rowsStatement<{ id: string }>(kind, 1 + deliveryNames.length, deliverText)

  return {
    /** Takes the next jobs of an owner for the publisher. */
    claim: (claim: string, untilMs: number, type: number, owner: string, count: number) =>
      raw<PublishedRow>(claimText, [claim, untilMs, type, owner, count]),

    /** Claims jobs of one run for a worker. */
    begin: (claim: string, untilMs: number, nowMs: number, ids: readonly string[], run: number) =>
      raw<JobRow>(beginText, [claim, untilMs, nowMs, textsValue(kind, ids), run]),

    /** Lengthens claims; what it returns are those that held. */
    extend(claimed: readonly { readonly job: Job; readonly claim: string }[], untilMs: number) {
      const ids = claimed.map(({ job }) => job.id)
      const claims = [...new Set(claimed.map(({ claim }) => claim))]
      const values = [untilMs, textsValue(kind, ids), textsValue(kind, claims)]
      return raw<{ id: string; claim: string }>(extendText, values)
    },

    /** Notes callbacks, and endings: these return the ids of those whose claim held. */
    finish(endings: readonly Noted[]) {
      const ids = endings.map(({ job }) => job.id)
      const calls = endings.flatMap((one) => (one.delivery ? [deliveryValues(one)] : []))
      const rows = endings.map(({ job, claim, row }) => [
        ...[job.id, claim],
        ...endingNames.map((name) => row[name]),
      ])
      // Nobody cancels them between the callbacks and the endings.
      const locks =
        kind === 'postgres' ? [raw<{ id: string }>(lockText, [textsValue(kind, ids)])] : []
      return { before: [...locks, ...deliver(calls)], endings: end(rows) }
    },
  }
}

function raw<Row>(text: string, values: unknown[]): CompiledQuery<Row> {
  return CompiledQuery.raw(text, values) as CompiledQuery<Row>
}

function endText(rows: string): string {
  const set = endingNames.map((name, at) => `${name} = ${cast(endingColumns[name], at + 3)}`)
  return `update messages
    set ${set.join(', ')}, is_processing = 0, claim = null, claim_until_ms = 0
    from (values ${rows}) as ended
    where messages.id = ended.column1 and messages.claim = ended.column2
    returning id`
}

/** A callback is noted only where the claim holds that its ending needs, too. */
function deliverText(rows: string): string {
  const values = deliveryNames.map((name, at) => cast(deliveryColumns[name], at + 2))
  return `insert into deliveries (${deliveryNames.join(', ')})
    select ${values.join(', ')} from (values ${rows}) as wanted
    where exists (select 1 from messages
      where messages.id = wanted.column3 and messages.claim = wanted.column1)
    on conflict (id) do nothing`
}

function cast(type: string, column: number): string {
  return `cast(column${column} as ${type})`
}

function deliveryValues({ job, claim, delivery, nowMs }: Noted): readonly unknown[] {
  if (!delivery) return []
  const row = deliveryRow(delivery, job, nowMs)
  return [claim, ...deliveryNames.map((name) => row[name])]
}
