import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Address } from '@drover/kernel'

/** Listens there for a moment. Throws what the system says when the address cannot be had. */
export async function tryAddress({ host, port }: Address): Promise<void> {
  const server = createServer().listen({ host, port })
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}
