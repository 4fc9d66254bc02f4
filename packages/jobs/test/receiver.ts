import { startSite } from './local-site.ts'

/** One callback as it came. */
export interface Call {
  readonly headers: Record<string, string>
  readonly body: string
}

/** A site whose pages are what `page` says, and that notes every callback. */
export async function startReceiver(page: (path: string) => string) {
  const calls: Call[] = []
  const bodies = new Map<string, string[]>()
  const site = await startSite((request, response) => {
    if (request.method !== 'POST') {
      response.setHeader('content-type', 'text/html').end(page(request.url ?? ''))
      return
    }
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const headers = request.headers as Record<string, string>
      const body = Buffer.concat(parts).toString()
      const id = headers['webhook-id'] ?? ''
      calls.push({ headers, body })
      bodies.set(id, [...(bodies.get(id) ?? []), body])
      response.end('thanks')
    })
  })
  return { ...site, calls, bodies }
}
