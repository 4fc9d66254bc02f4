import { once } from 'node:events'
import { createServer } from 'node:net'

/** Returns ports of 127.0.0.1 that nobody had a moment ago, each another one. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  try {
    await Promise.all(servers.map((server) => once(server, 'listening')))
    return servers.map((server) => {
      const address = server.address()
      return typeof address === 'object' && address ? address.port : 0
    })
  } finally {
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  }
}
