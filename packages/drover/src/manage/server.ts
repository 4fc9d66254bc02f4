import { type Address, createHttpServer, type Log } from '@drover/kernel'
import { type Managed, mountManage } from './routes.ts'

/** The management API on a port of its own, for the front door to send its routes to. */
export interface ManageServer {
  /** Where it listens: a free port of loopback. */
  readonly address: Address
  stop(): Promise<void>
}

/** Starts the management API over whatever `managed` returns at each request. */
export async function startManageServer(managed: () => Managed, log: Log): Promise<ManageServer> {
  const server = await createHttpServer({
    title: 'Drover, classroom management API',
    description: 'Who runs (/rep), more (/add), fewer (/rm)',
    log,
  })
  mountManage(server, '', managed)
  await server.listen({ host: '127.0.0.1', port: 0 })
  const bound = server.server.address()
  return {
    address: { host: '127.0.0.1', port: typeof bound === 'object' && bound ? bound.port : 0 },
    stop: () => server.close(),
  }
}
