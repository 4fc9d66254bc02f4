import { type LocalSite, startSite } from '../local-site.ts'
import { pageKinds, robotsTxt } from './pages.ts'

/** One callback as it came. */
export interface ReceivedCall {
  readonly id: string
  readonly body: string
  /** In seconds. */
  readonly timestamp: number
  readonly signature: string
}

/** The web of the storm: pages of every kind, and the receiver of callbacks. */
export interface StormSite extends LocalSite {
  readonly calls: readonly ReceivedCall[]
  /** Their ids. */
  readonly called: ReadonlySet<string>
}

/** Pages of each kind; jobs come back to them. */
export const pagesPerKind = 20

/** Returns the kind and the address of the page of job number `index`. */
export function pageOf(index: number, origin: string) {
  const kind = pageKinds[index % pageKinds.length] ?? pageKinds[0]
  if (!kind) throw new Error('there is no kind of page')
  const number = Math.floor(index / pageKinds.length) % pagesPerKind
  // What fails at first fails for each job anew.
  const query = kind.name === 'flaky' || kind.name === 'busy' ? `?job=${index}` : ''
  return { kind, number, url: `${origin}/${kind.name}/${number}${query}` }
}

/** Returns the kind and the number of the page at `url`. */
export function pageAt(url: string, origin: string) {
  const [, name, number] = /^\/(\w+)\/(\d+)/.exec(url.slice(origin.length)) ?? []
  const kind = pageKinds.find((one) => one.name === name)
  if (!kind || !url.startsWith(origin)) throw new Error(`${url} is no page of the storm`)
  return { kind, number: Number(number) }
}

/** Starts it. Every fifth callback is refused at its first try. */
export async function startStormSite(): Promise<StormSite> {
  const calls: ReceivedCall[] = []
  const called = new Set<string>()
  const asked = new Map<string, number>()
  const kinds = new Map(pageKinds.map((kind) => [kind.name, kind]))
  const site = await startSite((request, response) => {
    const url = request.url ?? '/'
    const attempt = (asked.get(url) ?? 0) + 1
    asked.set(url, attempt)
    if (url === '/robots.txt') return void response.end(robotsTxt)
    if (request.method === 'POST') {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const id = String(request.headers['webhook-id'])
        const timestamp = Number(request.headers['webhook-timestamp'])
        const signature = String(request.headers['webhook-signature'])
        const first = !called.has(id)
        called.add(id)
        calls.push({ id, body: Buffer.concat(parts).toString(), timestamp, signature })
        response.writeHead(first && called.size % 5 === 0 ? 503 : 204).end()
      })
      return
    }
    const [, name = '', number = ''] = /^\/(\w+)\/(\d+)/.exec(url) ?? []
    const kind = kinds.get(name)
    if (kind) kind.respond(request, response, { number: Number(number), attempt })
    else response.writeHead(404).end()
  })
  return { ...site, calls, called }
}
