import { type Clock, Fault } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { FetchOptions } from '../options.ts'
import type { Lookup } from './connector.ts'
import { createGuard } from './guard.ts'
import { HostGate } from './host-gate.ts'
import { type HostTurns, PageTurns, TurnLater } from './host-turns.ts'
import { createLane, type Lane } from './lane.ts'
import { parsePageUrl } from './page-url.ts'
import { retryAfterMs } from './retry-after.ts'
import { createRobots, type Robots, robotsRestMs } from './robots.ts'
import { createTransport, type Incoming, type Transport } from './transport.ts'
import { acceptedEncodings, unpack } from './unpack.ts'

/** What is known of a page from the last time. */
export interface Validators {
  /** The address that they were noted of; no other is asked with them. */
  readonly url: string
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

/** How the fetch of one page ended. */
export type FetchOutcome =
  | { readonly kind: 'page'; readonly page: FetchedPage }
  /** The page is as it was when `validators` were noted. */
  | { readonly kind: 'unchanged'; readonly url: string }
  /** Nothing was fetched: the host is busy, and the page has its turn there in `waitMs`. */
  | { readonly kind: 'later'; readonly waitMs: number }
  /** `waitMs`: the server asked to come back after it, or nothing can be known before. */
  | { readonly kind: 'failed'; readonly fault: Fault; readonly waitMs: number | undefined }

/** One page as it was fetched, its body unpacked. */
export interface FetchedPage extends Validators {
  /** Where the last redirect led. */
  readonly url: string
  readonly status: number
  readonly contentType: string | undefined
  readonly body: Uint8Array
  readonly redirects: number
}

export interface Fetcher {
  /**
   * Never throws but the signal's reason, and what `turns` throws. `hasTurn`: an earlier answer was
   * `later`, and the time has come.
   */
  fetch(
    url: string,
    signal: AbortSignal,
    known?: Validators,
    hasTurn?: boolean,
  ): Promise<FetchOutcome>
  stop(): Promise<void>
}

/** What a fetcher may be given beside its options. */
export interface FetcherParts {
  readonly lookup?: Lookup
  /** The turns at hosts that all workers share; without them each has turns of its own. */
  readonly turns?: HostTurns
}

interface Tools {
  readonly options: FetchOptions
  readonly clock: Clock
  readonly transport: Transport
  readonly robots: Robots
  readonly gate: HostGate
  readonly unpacking: Lane
}

/** Bodies that are unpacked at one time: each may take as much memory as a page may have bytes. */
const unpackingMax = 8

/**
 * Returns what fetches pages: address by address, robots.txt asked, in its host's turn, redirects
 * followed and each judged like a first address, the body unpacked within bounds.
 */
export function createFetcher(
  options: FetchOptions,
  clock: Clock,
  { lookup, turns }: FetcherParts = {},
): Fetcher {
  const guard = createGuard(options.allow)
  const transport = createTransport({ ...options, guard, clock, ...(lookup ? { lookup } : {}) })
  const robots = createRobots({ ...options, transport, clock })
  const gate = new HostGate(options, clock)
  const unpacking = createLane(unpackingMax)
  const tools = { options, clock, transport, robots, gate, unpacking }
  return {
    async fetch(url, signal, known, hasTurn = false) {
      try {
        const start = parsePageUrl(url)
        const own = new PageTurns(turns, clock, hasTurn ? start.host : undefined)
        return await followPage({ ...tools, turns: own }, start, signal, known)
      } catch (error) {
        if (error instanceof TurnLater) return { kind: 'later', waitMs: error.waitMs }
        if (!(error instanceof Fault) || error.code === 'STORE_UNAVAILABLE') throw error
        // Asked again sooner, an attempt would be spent on what is remembered.
        const waitMs = error.code === 'ROBOTS_UNREACHABLE' ? robotsRestMs : undefined
        return { kind: 'failed', fault: error, waitMs }
      }
    },
    stop: () => transport.stop(),
  }
}

interface PageTools extends Tools {
  readonly turns: PageTurns
}

/** Goes from redirect to redirect until there is a page, or no way on. */
async function followPage(
  tools: PageTools,
  start: URL,
  signal: AbortSignal,
  known: Validators | undefined,
): Promise<FetchOutcome> {
  let url = start
  let leftMs = tools.options.totalMs
  for (let redirects = 0; redirects <= tools.options.redirectsMax; redirects++) {
    const validators = known?.url === url.href ? validatorsFor(known) : {}
    const { answer, tookMs } = await askInTurn(tools, url, validators, leftMs, signal)
    const isUnchanged = answer.status === 304 && Object.keys(validators).length > 0
    if (isUnchanged) return { kind: 'unchanged', url: url.href }
    const next = redirectOf(answer, url)
    if (!next) return conclude(tools, answer, url, redirects)
    url = next
    leftMs -= tookMs
  }
  throw fault('REDIRECTS_TOO_MANY', `more than ${tools.options.redirectsMax} redirects`)
}

/** One request, when robots.txt lets it and its host's turn has come; `leftMs` is for the request alone. */
async function askInTurn(
  { options, clock, transport, robots, gate, turns }: PageTools,
  url: URL,
  validators: Record<string, string>,
  leftMs: number,
  signal: AbortSignal,
): Promise<{ answer: Incoming; tookMs: number }> {
  const word = options.robots ? await robots.ask(url, signal) : { allowed: true, delayMs: 0 }
  if (!word.allowed) throw fault('ROBOTS_DISALLOW', `robots.txt of ${url.host} excludes the page`)
  const delayMs = Math.min(options.hostDelayMsMax, Math.max(options.hostDelayMs, word.delayMs))
  await turns.await(url.host, delayMs, signal)
  const leave = await gate.enter(url.host, delayMs, signal)
  const startMs = clock.monotonic()
  try {
    const headers = { ...headersFor(options.userAgent), ...validators }
    const outgoing = { method: 'GET', url, headers, bytesMax: options.packedBytesMax } as const
    const answer = await timed(clock, Math.max(0, leftMs), signal, (inner) =>
      transport.send({ ...outgoing, beyond: 'refuse' }, inner),
    )
    return { answer, tookMs: clock.monotonic() - startMs }
  } finally {
    leave()
  }
}

function headersFor(userAgent: string): Record<string, string> {
  return {
    'user-agent': userAgent,
    accept: 'text/html, application/xhtml+xml, text/plain;q=0.9, */*;q=0.5',
    'accept-encoding': acceptedEncodings,
  }
}

function validatorsFor({ etag, lastModified }: Validators): Record<string, string> {
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  }
}

/** Gives `work` a signal that also aborts after `deadlineMs`, with FETCH_TIMEOUT. */
async function timed<Result>(
  clock: Clock,
  deadlineMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const late = new AbortController()
  const cancel = clock.after(deadlineMs, () =>
    late.abort(fault('FETCH_TIMEOUT', 'the page took longer than all of it may')),
  )
  try {
    return await work(AbortSignal.any([signal, late.signal]))
  } finally {
    cancel()
  }
}

const redirectStatuses = new Set([301, 302, 303, 307, 308])

function redirectOf({ status, headers }: Incoming, from: URL): URL | undefined {
  if (!redirectStatuses.has(status)) return undefined
  if (headers.location === undefined)
    throw fault('REDIRECT_INVALID', `${from.host} redirects to nowhere`)
  try {
    return parsePageUrl(utf8(headers.location), from)
  } catch (cause) {
    throw fault('REDIRECT_INVALID', `${from.host} redirects to what is no page`, { cause })
  }
}

/** Headers come as Latin-1; a place beyond ASCII is written in UTF-8 nearly always. */
function utf8(header: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'))
  } catch {
    return header
  }
}

const passingStatuses = new Set([408, 425, 429])

async function conclude(
  { options, clock, unpacking }: Tools,
  { status, headers, body }: Incoming,
  url: URL,
  redirects: number,
): Promise<FetchOutcome> {
  if (status >= 500 || passingStatuses.has(status)) {
    const waitMs = retryAfterMs(headers['retry-after'], clock.now())
    return { kind: 'failed', fault: fault('PAGE_UNAVAILABLE', answered(url, status)), waitMs }
  }
  if (status < 200 || status >= 300) throw fault('PAGE_REFUSED', answered(url, status))
  return {
    kind: 'page',
    page: {
      url: url.href,
      status,
      contentType: headers['content-type'],
      etag: headers.etag,
      lastModified: headers['last-modified'],
      body: await unpacking(() => unpack(body, headers['content-encoding'], options.pageBytesMax)),
      redirects,
    },
  }
}

function answered(url: URL, status: number): string {
  return `${url.host} answered ${status}`
}
