import { formatAddress, parseAddress } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/schema.ts'
import type { About } from '../status.ts'
import { type AdminParts, createAdminServer } from './server.ts'

/** The admin API while it listens. */
export interface RunningAdmin {
  readonly url: string
  stop(): Promise<void>
}

/** Where it listens when nothing else is said; a busy port is passed over. */
const defaultPort = 8081
const portsTried = 50

/**
 * Starts the admin API where the configuration says, or on the first free port from 8081 on.
 * Returns undefined when it is off. Throws EADDRINUSE for an address that was named.
 */
export async function listenAdmin(
  config: Config['admin'],
  parts: Omit<AdminParts, 'about'> & { readonly about: (admin: string) => About },
): Promise<RunningAdmin | undefined> {
  if (config.address === 'off') return undefined
  let url = ''
  const about = () => parts.about(url)
  const guarded = { token: config.token, hosts: config.hosts }
  const server = await createAdminServer({ ...parts, about }, guarded)
  const port =
    config.address === undefined
      ? await listenNear(server)
      : await listenOn(server, parseAddress(config.address))
  const host = config.address === undefined ? '127.0.0.1' : parseAddress(config.address).host
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  url = `http://${formatAddress({ host: shown, port })}`
  return { url, stop: () => server.close() }
}

async function listenOn(
  server: FastifyInstance,
  at: { readonly host: string; readonly port: number },
): Promise<number> {
  await server.listen({ host: at.host, port: at.port })
  const bound = server.server.address()
  return typeof bound === 'object' && bound ? bound.port : at.port
}

async function listenNear(server: FastifyInstance): Promise<number> {
  for (let port = defaultPort; ; port++) {
    try {
      return await listenOn(server, { host: '127.0.0.1', port })
    } catch (error) {
      const busy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!busy || port >= defaultPort + portsTried) throw error
    }
  }
}
