import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ForeignServer, freePorts, runnable } from './foreign-server.ts'

/** Past the wrapper on the PATH, which changes to the system's own user and data. */
const script = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** Makes a RabbitMQ with node name, ports, data and port mapper of its own, not started. */
export async function createRabbit(): Promise<ForeignServer> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-rabbit-'))
  const [port = 0, distribution = 0, mapper = 0] = await freePorts(3)
  const at = (name: string) => join(folder, name)
  mkdirSync(at('data'))
  writeFileSync(at('plugins'), '[].\n')
  writeFileSync(at('rabbitmq.conf'), `listeners.tcp.1 = 127.0.0.1:${port}\n`)
  const env = {
    ...{ HOME: folder, ERL_EPMD_PORT: `${mapper}`, ERL_EPMD_ADDRESS: '127.0.0.1' },
    RABBITMQ_NODENAME: `drover-jobs-${process.pid}-${port}@localhost`,
    RABBITMQ_DIST_PORT: `${distribution}`,
    ...{ RABBITMQ_MNESIA_BASE: at('data'), RABBITMQ_LOG_BASE: folder, RABBITMQ_LOGS: '-' },
    RABBITMQ_ENABLED_PLUGINS_FILE: at('plugins'),
    RABBITMQ_CONFIG_FILE: at('rabbitmq'),
    RABBITMQ_CONF_ENV_FILE: at('none'),
    // So that the script becomes the server, instead of starting it as a child.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput -kernel inet_dist_use_interface {127,0,0,1}',
  }
  // The server would start one that outlives it.
  const mapperWords = ['-port', `${mapper}`, '-address', '127.0.0.1']
  const epmd = runnable({ file: 'epmd', words: mapperWords, env, answers: () => speaks(mapper) })
  const server = runnable({ file: script, words: [], env, answers: () => speaks(port) })
  await epmd.start()
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    ...server,
    async close() {
      await server.end('SIGKILL')
      await epmd.end('SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/** RabbitMQ opens its port last. */
function speaks(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
