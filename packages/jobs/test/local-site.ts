import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A web server of a test's own, on loopback. */
export interface LocalSite {
  readonly origin: string
  readonly port: number
  readonly requests: IncomingMessage[]
  close(): Promise<void>
}

/** Starts a site that answers by `listener`. */
export async function startSite(listener: RequestListener): Promise<LocalSite> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
