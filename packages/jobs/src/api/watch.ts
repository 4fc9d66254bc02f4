import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describeError } from '@drover/kernel'
import type { FastifyReply } from 'fastify'
import { fault } from '../errors.ts'
import { finalStates, type Job } from '../job.ts'
import { pause } from '../pipeline/loop.ts'
import type { ApiContext } from './context.ts'
import { jobView } from './schemas.ts'

/** A change may become visible so long after its time was taken, in ms. */
const overlapMs = 2_000
/** A line now and then keeps the connection open, in ms. */
const heartbeatMs = 15_000
const changesMax = 500

let watchers = 0

/**
 * Sends the account's jobs as they change, as server-sent events. With a batch, only its jobs, their
 * present states first, and it ends when all have ended. Throws WATCHERS_TOO_MANY.
 */
export async function watch(
  context: ApiContext,
  ownerId: string,
  batch: string | undefined,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (watchers >= context.options.watchersMax)
    throw fault('WATCHERS_TOO_MANY', `${watchers} watch already`)
  watchers++
  reply.hijack()
  const { raw } = reply
  const gone = new AbortController()
  raw.once('close', () => gone.abort())
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  raw.flushHeaders()
  try {
    const signal = AbortSignal.any([gone.signal, context.closing])
    await follow(context, { ownerId, batch, raw, signal })
  } catch (error) {
    context.log.warn({ cause: describeError(error) }, 'a watch ended early')
  } finally {
    watchers--
    raw.end()
  }
  return reply
}

interface Watch {
  readonly ownerId: string
  readonly batch: string | undefined
  readonly raw: ServerResponse
  readonly signal: AbortSignal
}

async function follow(context: ApiContext, watching: Watch): Promise<void> {
  const { clock, options } = context
  const { batch, raw, signal } = watching
  const place = { sinceMs: batch === undefined ? clock.now() : 0, seen: new Map<string, string>() }
  let lineAtMs = clock.monotonic()
  while (!signal.aborted) {
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

/** Writes what changed since the last time, and moves the place on. */
async function writeChanges(
  { jobs }: ApiContext,
  { ownerId, batch, raw, signal }: Watch,
  place: { sinceMs: number; readonly seen: Map<string, string> },
): Promise<{ written: number; more: boolean }> {
  const { sinceMs, seen } = place
  const found = await jobs.changes(ownerId, sinceMs, changesMax, batch)
  if (seen.size > changesMax * 20) seen.clear()
  let written = 0
  for (const job of found) {
    const version = versionOf(job)
    if (seen.get(job.id) === version) continue
    seen.set(job.id, version)
    await write(raw, `event: job\ndata: ${JSON.stringify(jobView(job))}\n\n`, signal)
    written++
  }
  const lastMs = found.at(-1)?.updatedMs ?? sinceMs
  const more = found.length === changesMax && lastMs > sinceMs
  place.sinceMs = more ? lastMs : Math.max(sinceMs, lastMs - overlapMs)
  return { written, more }
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
