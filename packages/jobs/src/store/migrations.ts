import { type Kysely, sql, type Transaction } from 'kysely'
import { fault } from '../errors.ts'
import type { Database } from './database.ts'
import type { Tables } from './tables.ts'

type Migration = (db: Transaction<Tables>, blob: 'blob' | 'bytea') => Promise<void>

/** Told apart from other programs' locks in the same PostgreSQL. */
const lockNumber = 7_190_326

/** Each brings the schema one version on. They are never changed, only added to. */
const migrations: readonly Migration[] = [
  jobsAndResults,
  callbacks,
  accounts,
  schedulesAndQuotas,
  turnsAndRetention,
  wholeTexts,
  receivers,
  traces,
]

/**
 * Brings the schema up to date, all of it or nothing; several processes may do so at one time.
 * Throws STORE_TOO_NEW when a newer Drover has been here.
 */
export async function migrate({ db, kind }: Database): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    if (kind === 'postgres')
      await sql`select pg_advisory_xact_lock(${lockNumber})`.execute(transaction)
    const version = await readVersion(transaction)
    if (version > migrations.length)
      throw fault(
        'STORE_TOO_NEW',
        `the store is at ${version}, this version at ${migrations.length}`,
      )
    if (version === migrations.length) return
    for (const step of migrations.slice(version))
      await step(transaction, kind === 'postgres' ? 'bytea' : 'blob')
    await transaction.deleteFrom('schema_version').execute()
    await transaction.insertInto('schema_version').values({ version: migrations.length }).execute()
  })
}

async function readVersion(db: Kysely<Tables>): Promise<number> {
  await sql`create table if not exists schema_version (version integer not null)`.execute(db)
  const row = await db.selectFrom('schema_version').select('version').executeTakeFirst()
  return row?.version ?? 0
}

async function run(db: Kysely<Tables>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

async function jobsAndResults(db: Kysely<Tables>, blob: string): Promise<void> {
  await run(db, [
    `create table messages (
      id text primary key, owner_id text not null, user_id text not null,
      request_url text not null, type integer not null,
      is_processed integer not null, is_processing integer not null, callback_url text,
      date_added bigint not null, date_process_complete bigint,
      state text not null, updated_ms bigint not null, priority integer not null,
      due_ms bigint not null, attempt integer not null, attempts_max integer not null,
      run integer not null, batch_id text, claim text, claim_until_ms bigint not null,
      reason_code text, reason text, content_hash text, result text)`,
    // What the publisher takes next, for each owner; what it counts; what has run over its time.
    `create index messages_next on messages (state, type, owner_id, priority desc, due_ms, id)
      where state = 'waiting'`,
    `create index messages_claims on messages (state, type, claim_until_ms)
      where state in ('publishing', 'queued', 'working')`,
    `create index messages_due on messages (due_ms) where state = 'delayed'`,
    'create index messages_owner on messages (owner_id, date_added, id)',
    'create index messages_owner_state on messages (owner_id, state)',
    'create index messages_batch on messages (batch_id) where batch_id is not null',
    'create index messages_changes on messages (owner_id, updated_ms, id)',
    `create index messages_pages on messages (owner_id, type, request_url, date_process_complete)
      where state = 'done'`,
    `create table contents (hash text primary key, packed ${blob} not null, bytes bigint not null)`,
  ])
}

async function callbacks(db: Kysely<Tables>): Promise<void> {
  await run(db, [
    `create table deliveries (
      id text primary key, job_id text not null, owner_id text not null, url text not null,
      body text not null, state text not null, attempt integer not null, due_ms bigint not null,
      created_ms bigint not null, claim text, claim_until_ms bigint not null)`,
    `create index deliveries_due on deliveries (state, due_ms)
      where state in ('pending', 'delivering')`,
    'create index deliveries_owner on deliveries (owner_id, created_ms, id)',
    'create index deliveries_job on deliveries (job_id)',
    `create table delivery_attempts (
      delivery_id text not null, attempt integer not null, at_ms bigint not null,
      took_ms bigint not null, status integer, answer text, error text,
      primary key (delivery_id, attempt))`,
  ])
}

async function accounts(db: Kysely<Tables>): Promise<void> {
  await run(db, [
    `create table users (
      id text primary key, email text not null unique, password text not null, role text not null,
      created_ms bigint not null, tokens_from_ms bigint not null, disabled integer not null,
      webhook_secret text not null, webhook_secret_before text,
      webhook_before_until_ms bigint not null)`,
    `create table signing_keys (
      kid text primary key, secret text not null, created_ms bigint not null)`,
    `create table refresh_tokens (
      hash text primary key, family text not null, user_id text not null,
      expires_ms bigint not null, used integer not null)`,
    'create index refresh_tokens_family on refresh_tokens (family)',
    'create table revoked_tokens (jti text primary key, expires_ms bigint not null)',
    `create table login_failures (
      key text primary key, failures integer not null, until_ms bigint not null,
      last_ms bigint not null)`,
  ])
}

async function schedulesAndQuotas(db: Kysely<Tables>): Promise<void> {
  await run(db, [
    'alter table messages add column schedule_id text',
    'alter table users add column unfinished_max bigint',
    'alter table users add column per_minute_max bigint',
    `create table schedules (
      id text primary key, owner_id text not null, cron text not null, time_zone text not null,
      job text not null, paused integer not null, next_ms bigint, last_ms bigint, last_job_id text,
      created_ms bigint not null)`,
    'create index schedules_due on schedules (next_ms) where paused = 0',
    'create index schedules_owner on schedules (owner_id, created_ms, id)',
    `create table idempotency_keys (
      owner_id text not null, key text not null, fingerprint text not null,
      created_ms bigint not null, primary key (owner_id, key))`,
    'create index idempotency_keys_age on idempotency_keys (created_ms)',
    `create table submission_counts (
      owner_id text not null, minute_ms bigint not null, count bigint not null,
      primary key (owner_id, minute_ms))`,
    // Counts by type, too, out of one index.
    'drop index messages_owner_state',
    'create index messages_owner_states on messages (owner_id, state, type)',
  ])
}

async function turnsAndRetention(db: Kysely<Tables>): Promise<void> {
  await run(db, [
    'alter table messages add column losses integer not null default 0',
    'alter table messages add column turn_ms bigint not null default 0',
    'create table hosts (host text primary key, free_at_ms bigint not null)',
    'alter table contents add column kept_ms bigint not null default 0',
    'alter table contents add column packed_bytes bigint not null default 0',
    'update contents set packed_bytes = length(packed)',
    // Their sum is read without the contents themselves.
    'create index contents_kept on contents (kept_ms, packed_bytes)',
    'create index messages_content on messages (content_hash) where content_hash is not null',
    `create index messages_ended on messages (date_process_complete, id)
      where date_process_complete is not null`,
  ])
}

async function wholeTexts(db: Kysely<Tables>): Promise<void> {
  await run(db, [
    'alter table messages add column whole_hash text',
    'create index messages_whole on messages (whole_hash) where whole_hash is not null',
  ])
}

async function receivers(db: Kysely<Tables>): Promise<void> {
  await run(db, [
    "alter table deliveries add column receiver text not null default ''",
    'drop index deliveries_due',
    `create index deliveries_due on deliveries (due_ms, receiver)
      where state in ('pending', 'delivering')`,
  ])
}

async function traces(db: Kysely<Tables>): Promise<void> {
  await run(db, [
    'alter table messages add column traceparent text',
    'alter table deliveries add column traceparent text',
  ])
}
