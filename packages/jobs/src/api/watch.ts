import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type Clock, describeError } from '@drover/kernel'
import type { FastifyReply } from 'fastify'
import { fault } from '../errors.ts'
import { finalStates, type Job } from '../job.ts'
import { pause } from '../pipeline/loop.ts'
import type { ApiContext } from './context.ts'
import { cursorOf } from './schemas.ts'
import { jobView } from './views.ts'

/** A change may become visible so long after its time was taken, in ms. */
const overlapMs = 2_000
/** A line now and then keeps the connection open, in ms. */
const heartbeatMs = 15_000
const changesMax = 500
/** How often a watch looks whether its token is still good, in ms. */
const tokenEveryMs = 5_000

/** Whose jobs to tell of, and from when. */
interface Wanted {
  /** Undefined: everybody's. */
  readonly ownerId: string | undefined
  readonly batch: string | undefined
  /** Where an earlier watch ended; a change may be told again. */
  readonly sinceMs: number | undefined
}

/** The watches that one replica serves. */
export interface Watches {
  /**
   * Sends jobs as they change, as server-sent events. With a batch, only its jobs, their present
   * states first, and it ends when all have ended, or `mayGoOn` says so. Throws WATCHERS_TOO_MANY.
   */
  follow(
    accountId: string,
    wanted: Wanted,
    reply: FastifyReply,
    mayGoOn: () => Promise<boolean>,
  ): Promise<FastifyReply>
}

/** Returns the watches of a replica: none yet. */
export function createWatches(context: ApiContext): Watches {
  const { watchersMax, watchersPerAccountMax } = context.options
  const byAccount = new Map<string, number>()
  let all = 0
  const enter = (accountId: string) => {
    const own = byAccount.get(accountId) ?? 0
    if (all >= watchersMax) throw fault('WATCHERS_TOO_MANY', `${all} watch already`)
    if (own >= watchersPerAccountMax)
      throw fault('WATCHERS_TOO_MANY', `${own} of this account watch already`)
    all++
    byAccount.set(accountId, own + 1)
  }
  const leave = (accountId: string) => {
    all--
    const left = (byAccount.get(accountId) ?? 1) - 1
    if (left > 0) byAccount.set(accountId, left)
    else byAccount.delete(accountId)
  }
  return {
    async follow(accountId, wanted, reply, mayGoOn) {
      enter(accountId)
      reply.hijack()
      const { raw } = reply
      const gone = new AbortController()
      raw.once('close', () => gone.abort())
      try {
        raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
        raw.flushHeaders()
        const signal = AbortSignal.any([gone.signal, context.closing])
        await follow(context, { ...wanted, raw, signal, mayGoOn })
      } catch (error) {
        context.log.warn({ cause: describeError(error) }, 'a watch ended early')
      } finally {
        leave(accountId)
        raw.end()
      }
      return reply
    },
  }
}

/** How far a watch has come. */
interface Place {
  readonly beginMs: number
  since: { readonly ms: number; readonly id: string }
  /** The state of each job that was told last. */
  readonly seen: Map<string, string>
}

interface Watch extends Wanted {
  readonly mayGoOn: () => Promise<boolean>
  readonly raw: ServerResponse
  readonly signal: AbortSignal
}

async function follow(context: ApiContext, watching: Watch): Promise<void> {
  const { clock, options } = context
  const { batch, raw, signal, sinceMs, mayGoOn } = watching
  const nowMs = batch === undefined ? clock.now() : 0
  const beginMs = sinceMs === undefined ? nowMs : sinceMs - overlapMs
  const place: Place = { beginMs, since: { ms: beginMs, id: '' }, seen: new Map() }
  let lineAtMs = clock.monotonic()
  const mayStill = onceIn(tokenEveryMs, clock, mayGoOn)
  while (!signal.aborted && (await mayStill())) {
    const { written, more } = await writeChanges(context, watching, place)
    if (written > 0) lineAtMs = clock.monotonic()
    if (more) continue
    if (await hasEnded(context, watching)) return write(raw, 'event: end\ndata: {}\n\n', signal)
    if (clock.monotonic() - lineAtMs > heartbeatMs) {
      await write(raw, ': still here\n\n', signal)
      lineAtMs = clock.monotonic()
    }
    await pause(clock, options.watchEveryMs, signal)
  }
}

/** Asks once in so long, from so long on; what was true stays so meanwhile. */
function onceIn(everyMs: number, clock: Clock, ask: () => Promise<boolean>) {
  let atMs = clock.monotonic()
  return async () => {
    if (clock.monotonic() - atMs < everyMs) return true
    atMs = clock.monotonic()
    return ask()
  }
}

/** Writes what changed since the last time, and moves the place on. */
async function writeChanges(
  { jobs }: ApiContext,
  { ownerId, batch, raw, signal }: Watch,
  place: Place,
): Promise<{ written: number; more: boolean }> {
  const { since, seen } = place
  const found = await jobs.changes(ownerId, since, changesMax, batch)
  if (seen.size > changesMax * 20) seen.clear()
  let written = 0
  for (const job of found) {
    const version = versionOf(job)
    if (seen.get(job.id) === version) continue
    seen.set(job.id, version)
    await write(raw, eventOf(job), signal)
    written++
  }
  const last = found.at(-1)
  const more = last !== undefined && found.length === changesMax
  if (more) place.since = { ms: last.updatedMs, id: last.id }
  else if (last) place.since = { ms: Math.max(place.beginMs, last.updatedMs - overlapMs), id: '' }
  return { written, more }
}

function eventOf(job: Job): string {
  const data = JSON.stringify(jobView(job))
  return `id: ${cursorOf(job.updatedMs, job.id)}\nevent: job\ndata: ${data}\n\n`
}

function versionOf({ state, attempt, run }: Job): string {
  return `${state} ${attempt} ${run}`
}

async function hasEnded({ jobs }: ApiContext, { ownerId, batch }: Watch): Promise<boolean> {
  if (batch === undefined) return false
  const states = Object.keys(await jobs.counts({ ownerId, batchId: batch }))
  return states.length > 0 && states.every((state) => finalStates.has(state as Job['state']))
}

/** Waits for a slow reader instead of piling up. */
async function write(raw: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || raw.write(text)) return
  await once(raw, 'drain', { signal }).catch(() => {})
}
