import type { Clock } from '@drover/kernel'
import robotsParser from 'robots-parser'
import { fault } from '../errors.ts'
import { parsePageUrl } from './page-url.ts'
import type { Incoming, Transport } from './transport.ts'

/** What a site's robots.txt says about one page. */
interface RobotsWord {
  readonly allowed: boolean
  /** The delay that it asks for, in ms; 0 when it asks for none. */
  readonly delayMs: number
}

/** Reads the robots.txt of sites, and remembers them. */
export interface Robots {
  /** Throws ROBOTS_UNREACHABLE when the site has one that cannot be read now. */
  ask(url: URL): Promise<RobotsWord>
}

/** What of robots-parser is used; its own types describe another shape than its module has. */
interface Rules {
  isAllowed(url: string, agent: string): boolean | undefined
  getCrawlDelay(agent: string): number | undefined
}

const parseRules = robotsParser as unknown as (url: string, text: string) => Rules

interface Remembered {
  readonly untilMs: number
  readonly rules: Promise<Rules>
}

/** RFC 9309: at least 500 KiB are to be read, at least five redirects followed, a day at most kept. */
const bytesMax = 524_288
const redirectsMax = 5
const keptMs = 3_600_000
/** A failure is remembered for so long, so that a thousand jobs do not knock a thousand times. */
const failureKeptMs = 30_000
const sitesMax = 1_000

export interface RobotsOptions {
  readonly transport: Transport
  readonly clock: Clock
  readonly userAgent: string
  /** The longest time for one robots.txt, with its redirects. */
  readonly totalMs: number
}

/** Returns the reader of robots.txt files; at most a thousand sites are remembered, for an hour. */
export function createRobots({ transport, clock, userAgent, totalMs }: RobotsOptions): Robots {
  const remembered = new Map<string, Remembered>()
  const agent = /^[^\s/]+/.exec(userAgent)?.[0] ?? userAgent

  const rulesOf = (origin: string): Promise<Rules> => {
    const nowMs = clock.monotonic()
    const known = remembered.get(origin)
    if (known && nowMs < known.untilMs) return known.rules
    // Many jobs wait for one file: no single job's end may stop it.
    const late = new AbortController()
    const cancel = clock.after(totalMs, () => late.abort(fault('FETCH_TIMEOUT', 'took too long')))
    const rules = readRules(transport, origin, userAgent, late.signal).finally(cancel)
    keep(origin, { untilMs: nowMs + keptMs, rules })
    rules.catch(() => keep(origin, { untilMs: clock.monotonic() + failureKeptMs, rules }))
    return rules
  }
  const keep = (origin: string, entry: Remembered) => {
    remembered.delete(origin)
    remembered.set(origin, entry)
    const oldest = remembered.keys().next()
    if (remembered.size > sitesMax && !oldest.done) remembered.delete(oldest.value)
  }

  return {
    async ask(url) {
      const rules = await rulesOf(url.origin)
      return {
        allowed: rules.isAllowed(url.href, agent) ?? true,
        delayMs: Math.max(0, (Number(rules.getCrawlDelay(agent)) || 0) * 1_000),
      }
    },
  }
}

async function readRules(
  transport: Transport,
  origin: string,
  userAgent: string,
  signal: AbortSignal,
): Promise<Rules> {
  const place = new URL('/robots.txt', origin)
  try {
    const answer = await follow(transport, place, userAgent, signal)
    if (answer.status >= 500 || answer.status === 429)
      throw fault('ROBOTS_UNREACHABLE', `${place.href} answers ${answer.status}`)
    // 4xx means that there are no rules (RFC 9309, section 2.3.1.3).
    const text = answer.status >= 300 ? '' : new TextDecoder().decode(answer.body)
    return parseRules(place.href, text)
  } catch (cause) {
    const { code } = cause as { code?: string }
    if (code === 'ADDRESS_REFUSED' || code === 'ROBOTS_UNREACHABLE') throw cause
    throw fault('ROBOTS_UNREACHABLE', `${place.href} cannot be read`, { cause })
  }
}

/** Too many redirects count as no robots.txt, like every 3xx that leads nowhere. */
async function follow(
  transport: Transport,
  start: URL,
  userAgent: string,
  signal: AbortSignal,
): Promise<Incoming> {
  let url = start
  for (let hop = 0; ; hop++) {
    const answer = await transport.send(
      { method: 'GET', url, headers: { 'user-agent': userAgent }, bytesMax, beyond: 'cut' },
      signal,
    )
    const { location } = answer.headers
    const redirects = answer.status >= 300 && answer.status < 400 && location !== undefined
    if (!redirects || hop >= redirectsMax) return answer
    url = parsePageUrl(location, url)
  }
}
