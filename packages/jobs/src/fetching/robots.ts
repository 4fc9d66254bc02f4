import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import { parsePageUrl } from './page-url.ts'
import { parseRobots, type RobotsRules } from './robots-rules.ts'
import type { Incoming, Transport } from './transport.ts'
import { unpack } from './unpack.ts'

/** What a site's robots.txt says about one page. */
interface RobotsWord {
  readonly allowed: boolean
  /** The delay that it asks for, in ms; 0 when it asks for none. */
  readonly delayMs: number
}

/** Reads the robots.txt of sites, and remembers them. */
export interface Robots {
  /** Throws ROBOTS_UNREACHABLE when the site has one that cannot be read now, and the signal's reason. */
  ask(url: URL, signal: AbortSignal): Promise<RobotsWord>
}

interface Remembered {
  readonly untilMs: number
  readonly reading: Promise<RobotsFile>
  /** What it takes to remember it, in characters of the file. */
  readonly chars: number
}

interface RobotsFile {
  readonly rules: RobotsRules
  readonly chars: number
}

/** RFC 9309: at least 500 KiB are to be read, at least five redirects followed, a day at most kept. */
const bytesMax = 524_288
const redirectsMax = 5
const keptMs = 3_600_000
/** A failure is remembered for so long, in ms, so that a thousand jobs do not knock a thousand times. */
export const robotsRestMs = 30_000
const sitesMax = 1_000
/** Of all files that are remembered; their rules take up to ten times as many bytes. */
const charsMax = 8_388_608

export interface RobotsOptions {
  readonly transport: Transport
  readonly clock: Clock
  readonly userAgent: string
  /** The longest time for one robots.txt, with its redirects. */
  readonly totalMs: number
}

/**
 * Returns the reader of robots.txt files. For an hour it remembers a thousand sites at most, fewer
 * when their files are large: the one that was read the longest ago is forgotten first.
 */
export function createRobots({ transport, clock, userAgent, totalMs }: RobotsOptions): Robots {
  const remembered = new Map<string, Remembered>()
  const product = /^[^\s/]+/.exec(userAgent)?.[0] ?? userAgent
  let chars = 0

  const fileOf = (origin: string): Promise<RobotsFile> => {
    const nowMs = clock.monotonic()
    const known = remembered.get(origin)
    if (known && nowMs < known.untilMs) return known.reading
    // Many jobs wait for one file: no single job's end may stop it.
    const late = new AbortController()
    const cancel = clock.after(totalMs, () => late.abort(fault('FETCH_TIMEOUT', 'took too long')))
    const send = { transport, userAgent, signal: late.signal }
    const reading = readFile(send, origin, product).finally(cancel)
    keep(origin, { untilMs: nowMs + keptMs, reading, chars: 0 })
    reading.then(
      (file) => keep(origin, { untilMs: nowMs + keptMs, reading, chars: file.chars }),
      () => keep(origin, { untilMs: clock.monotonic() + robotsRestMs, reading, chars: 0 }),
    )
    return reading
  }
  const keep = (origin: string, entry: Remembered) => {
    forget(origin)
    remembered.set(origin, entry)
    chars += entry.chars
    for (const oldest of remembered.keys()) {
      if (remembered.size <= sitesMax && chars <= charsMax) return
      forget(oldest)
    }
  }
  const forget = (origin: string) => {
    chars -= remembered.get(origin)?.chars ?? 0
    remembered.delete(origin)
  }

  return {
    async ask(url, signal) {
      const { rules } = await orAborted(fileOf(url.origin), signal)
      return { allowed: rules.isAllowed(url), delayMs: rules.delayMs }
    },
  }
}

/** Resolves as `result` does, unless the signal aborts before. */
async function orAborted<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([result, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

interface Sending {
  readonly transport: Transport
  readonly userAgent: string
  readonly signal: AbortSignal
}

async function readFile(sending: Sending, origin: string, product: string): Promise<RobotsFile> {
  const place = new URL('/robots.txt', origin)
  try {
    const { status, headers, body } = await follow(sending, place)
    if (status >= 500 || status === 429)
      throw fault('ROBOTS_UNREACHABLE', `${place.href} answers ${status}`)
    // 4xx means that there are no rules (RFC 9309, section 2.3.1.3).
    const bytes = status >= 300 ? '' : await unpack(body, headers['content-encoding'], bytesMax)
    const text = typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)
    return { rules: parseRobots(text, product), chars: text.length }
  } catch (cause) {
    const { code, message } = cause as { code?: string; message?: string }
    if (code === 'ADDRESS_REFUSED' || code === 'ROBOTS_UNREACHABLE') throw cause
    throw fault('ROBOTS_UNREACHABLE', `${place.href} cannot be read: ${message}`, { cause })
  }
}

/** Too many redirects count as no robots.txt, like every 3xx that leads nowhere. */
async function follow({ transport, userAgent, signal }: Sending, start: URL): Promise<Incoming> {
  let url = start
  const headers = {
    'user-agent': userAgent,
    accept: 'text/plain, */*;q=0.5',
    'accept-encoding': 'identity',
  }
  for (let hop = 0; ; hop++) {
    const answer = await transport.send(
      { method: 'GET', url, headers, bytesMax, beyond: 'cut' },
      signal,
    )
    const { location } = answer.headers
    const redirects = answer.status >= 300 && answer.status < 400 && location !== undefined
    if (!redirects || hop >= redirectsMax) return answer
    url = parsePageUrl(location, url)
  }
}
