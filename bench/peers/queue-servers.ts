import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../lab/lab.ts'
import { freePorts } from '../lab/ports.ts'
import { startProgram } from '../lab/processes.ts'

/** A server of its own for the measurement. */
export interface PeerServer {
  /** Where clients find it. */
  readonly port: number
  /** Its process, for the CPU time; its children count with it. */
  readonly pid: number
  stop(): Promise<void>
}

export type StartServer = (lab: Lab) => Promise<PeerServer>

/** Resolves when `port` takes connections; throws after a minute. */
async function untilOpen(port: number): Promise<void> {
  const endsAt = Date.now() + 60_000
  const isOpen = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
  while (!(await isOpen())) {
    if (Date.now() > endsAt) throw new Error(`nothing listens on ${port}`)
    await sleep(200)
  }
}

/** NATS with JetStream on file. Debian's 2.9 cannot sync before it acknowledges. */
export const startNats: StartServer = async (lab) => {
  const [port = 0] = await freePorts(1)
  const folder = join(lab.directory, `nats-${port}`)
  const config = `${folder}.conf`
  writeFileSync(config, `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${folder}" }\n`)
  const args = ['-c', config]
  const { pid, stop } = await startProgram(lab, { command: 'nats-server', args })
  return { port, pid, stop }
}

/** Redis that syncs its file before it answers. */
export const startRedis: StartServer = async (lab) => {
  const [port = 0] = await freePorts(1)
  const folder = join(lab.directory, `redis-${port}`)
  mkdirSync(folder)
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  const place = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder]
  const words = [...place, ...durable]
  const { pid, stop } = await startProgram(lab, { command: 'redis-server', args: words })
  return { port, pid, stop }
}

/** RabbitMQ with its own node name, port mapper and data. */
export const startRabbit: StartServer = async (lab) => {
  const [port = 0, distribution = 0, mapper = 0] = await freePorts(3)
  const folder = join(lab.directory, `rabbit-${port}`)
  mkdirSync(join(folder, 'data'), { recursive: true })
  writeFileSync(join(folder, 'plugins'), '[].\n')
  writeFileSync(join(folder, 'rabbitmq.conf'), `listeners.tcp.1 = 127.0.0.1:${port}\n`)
  const env = {
    HOME: folder,
    ERL_EPMD_PORT: `${mapper}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `drover-bench-${process.pid}@localhost`,
    RABBITMQ_DIST_PORT: `${distribution}`,
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: '-',
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    // So that the script becomes the server, instead of starting it as a child.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput -kernel inet_dist_use_interface {127,0,0,1}',
  }
  await startProgram(lab, {
    command: 'epmd',
    args: ['-port', `${mapper}`, '-address', '127.0.0.1'],
    env,
  })
  const command = '/usr/lib/rabbitmq/bin/rabbitmq-server'
  const { pid, stop } = await startProgram(lab, { command, args: [], env })
  await untilOpen(port)
  return { port, pid, stop }
}

/** PostgreSQL as the user `postgres`: it refuses to run as root. */
export const startPostgres: StartServer = async (lab) => {
  const [port = 0] = await freePorts(1)
  const folder = join(lab.directory, `postgres-${port}`)
  const owner = (flag: string) => Number(execFileSync('id', [flag, 'postgres']).toString())
  mkdirSync(folder)
  chownSync(folder, owner('-u'), owner('-g'))
  execFileSync('chmod', ['o+x', lab.directory])
  const as = ['--reuid=postgres', '--regid=postgres', '--clear-groups']
  const programs = execFileSync('pg_config', ['--bindir']).toString().trim()
  execFileSync('setpriv', [
    ...as,
    join(programs, 'initdb'),
    '-D',
    folder,
    '-A',
    'trust',
    '-U',
    'bench',
  ])
  const words = [join(programs, 'postgres'), '-D', folder, '-p', `${port}`, '-k', folder]
  const { pid, stop } = await startProgram(lab, { command: 'setpriv', args: [...as, ...words] })
  return { port, pid, stop }
}
