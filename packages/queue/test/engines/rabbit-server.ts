import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, type ServerProcess, startServer } from './server-process.ts'

/** The script of the Debian package; the one on the PATH changes to the system's own user and data. */
const script = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** A RabbitMQ server of a test: own node name, ports, data and port mapper. */
export interface RabbitServer {
  readonly port: number
  start(): void
  end(signal?: NodeJS.Signals): Promise<void>
  output(): string
  /** Ends the server and its port mapper, and removes their data. */
  close(): Promise<void>
}

/** Starts the port mapper, and writes the server's configuration; the server itself is not started. */
export async function createRabbitServer(): Promise<RabbitServer> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-rabbit-'))
  const [port = 0, distribution = 0, mapper = 0] = await freePorts(3)
  const file = (name: string) => join(folder, name)
  await mkdir(file('data'))
  await writeFile(file('plugins'), '[].\n')
  await writeFile(file('rabbitmq.conf'), `listeners.tcp.1 = 127.0.0.1:${port}\n`)
  const env = {
    HOME: folder,
    ERL_EPMD_PORT: String(mapper),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `drover-test-${process.pid}@localhost`,
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: file('data'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: '-',
    RABBITMQ_ENABLED_PLUGINS_FILE: file('plugins'),
    RABBITMQ_CONFIG_FILE: file('rabbitmq'),
    RABBITMQ_CONF_ENV_FILE: file('none'),
    // So that the script becomes the server, instead of starting it as a child.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput -kernel inet_dist_use_interface {127,0,0,1}',
  }
  // The server would start one that outlives it.
  const epmd = startServer('epmd', ['-port', String(mapper), '-address', '127.0.0.1'], env)
  let server: ServerProcess | undefined
  return {
    port,
    start() {
      server = startServer(script, [], env)
    },
    async end(signal) {
      await server?.end(signal)
    },
    output: () => server?.output() ?? '',
    async close() {
      await server?.end('SIGKILL')
      await epmd.end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
