import type { HerdOptions, Topology } from '@drover/herd'
import { Fault, parseAddress } from '@drover/kernel'
import { Command } from 'commander'
import { fault } from '../errors.ts'
import { ownCommand } from '../own-command.ts'
import { say } from '../terminal.ts'
import { tryAddress } from '../try-address.ts'
import { ask, sayWhere, storm, watch, withTopology } from './herd-clients.ts'
import { hearStopping } from './stopping.ts'

interface CommonOptions {
  readonly topology: string
  readonly classic?: boolean
  readonly profile?: string
  readonly logs: string
  readonly data?: string
}

interface ServeOptions extends CommonOptions {
  readonly http?: string
  readonly listen?: string
  readonly seed?: readonly string[]
  readonly withParent?: boolean
}

const examples = `Examples:
  drover herd up bailey                       five servers on 10000-10004, each a process
  drover herd serve Clark --topology bailey   one of them, in the foreground
  drover herd say Clark kiwi +34.068930-118.445127
  drover herd ask Bona kiwi 10 5              at most 5 places within 10 km of kiwi
  drover herd storm bailey --clients 200      clients that walk over the map
  drover herd serve Zoe --listen 12000 --seed 127.0.0.1:20000
                                              joins a herd by one of its servers

The herd's key is in DROVER_HERD_KEY, in the topology's keyFile, or made once under ~/.drover.`

/** `drover herd`: servers that flood what they hear to each other, and clients of them. */
export function herdCommand(): Command {
  const herd = new Command('herd')
    .description('Runs servers that tell each other where clients are, and talks to them.')
    .addHelpText('after', `\n${examples}`)
  for (const command of [serve(), up(), sayWhere(), ask(), watch(), storm()])
    herd.addCommand(command)
  return herd
}

function serve(): Command {
  return withCommon(new Command('serve'))
    .description('Runs one server of a topology in the foreground.')
    .argument('<server>', 'its name, as Clark')
    .option('--http <address>', 'HTTP and WebSocket: where clients are, fences, metrics')
    .option('--listen <address>', 'where clients connect, for a server that no topology names')
    .option('--seed <address...>', "peers' addresses of servers by which it joins")
    .option('--with-parent', 'ends when standard input does')
    .action(async (name: string, options: ServeOptions) => {
      const stopping = hearStopping()
      const { serveHerd } = await import('@drover/herd')
      const topology = await topologyOf(name, options)
      const start = serveHerd(name, topology, {
        ...herdOptions(options),
        ...(options.http !== undefined && { http: parseAddress(options.http) }),
      })
      const server = await stopping.unlessAsked(start)
      const { clients, peers, http } = server.ports
      const map = http > 0 ? `, HTTP on ${http}` : ''
      say(`${name}: clients on ${clients}, peers on ${peers}${map}; log in ${options.logs}`)
      await (options.withParent ? Promise.race([stopping.asked, endOfInput()]) : stopping.asked)
      await server.stop()
      process.exit(0)
    })
}

function up(): Command {
  return withCommon(new Command('up'), false)
    .description('Runs every server of a topology, each in a process, and keeps them alive.')
    .argument('[topology]', 'bailey, goloman or a file', 'bailey')
    .action(async (nameOrFile: string, options: CommonOptions) => {
      const { findTopology, raiseHerd } = await import('@drover/herd')
      const topology = await findTopology(nameOrFile)
      await tryAddresses(topology)
      const passed = [
        ...['--topology', nameOrFile, '--logs', options.logs, '--with-parent'],
        ...(options.classic ? ['--classic'] : []),
        ...(options.profile ? ['--profile', options.profile] : []),
        ...(options.data ? ['--data', options.data] : []),
      ]
      const stopping = hearStopping()
      const unable = Promise.withResolvers<Fault>()
      const herd = raiseHerd({
        topology,
        commandOf: (name) => ownCommand('herd', 'serve', name, ...passed),
        onChange: (name, what) => say(`${name} ${what}`),
        onFirstEnd: (name, code) => {
          if (code === 1 || code === 2) unable.resolve(unableToStart(name, code))
        },
      })
      await herd.start()
      const end = await Promise.race([unable.promise, stopping.asked])
      await herd.stop()
      if (end instanceof Fault) throw end
    })
}

/** A process that is kept alive would be told again and again that its address is taken. */
async function tryAddresses({ servers }: Topology): Promise<void> {
  for (const { address, peers, http } of servers)
    for (const one of [address, peers, ...(http ? [http] : [])]) await tryAddress(one)
}

/** The exit codes 1 and 2 say that it would not help to try again; the reason has been written. */
function unableToStart(name: string, exitCode: 1 | 2): Fault {
  const message = `${name} cannot start; what it says stands above`
  return fault(exitCode === 2 ? 'USAGE' : 'HERD_UNABLE', message)
}

function withCommon(command: Command, hasTopology = true): Command {
  return (hasTopology ? withTopology(command) : command)
    .option('--classic', 'a server that comes back is told nothing old (sync off)')
    .option('--profile <name>', 'how lines are read: classic, lenient or iso')
    .option('--logs <directory>', "where each server's log goes", 'logs')
    .option('--data <directory>', 'where snapshots lie (with sync only)')
}

function herdOptions({ classic, profile, logs, data }: CommonOptions): HerdOptions {
  if (profile !== undefined && !isProfile(profile))
    throw fault('USAGE', `--profile: expected classic, lenient or iso, not "${profile}"`)
  return {
    logDirectory: logs,
    ...(classic && { sync: false }),
    ...(profile !== undefined && { profile }),
    ...(data !== undefined && { dataDirectory: data }),
  }
}

function isProfile(text: string): text is 'classic' | 'lenient' | 'iso' {
  return ['classic', 'lenient', 'iso'].includes(text)
}

/** The topology that is named, or one of this server alone that joins others by seeds. */
async function topologyOf(name: string, options: ServeOptions): Promise<Topology> {
  const { createTopology, findTopology } = await import('@drover/herd')
  if (options.listen === undefined) return findTopology(options.topology)
  const address = parseAddress(options.listen)
  const alone = createTopology('joined', { [name]: address.port }, [])
  const servers = alone.servers.map((server) => ({
    ...server,
    address,
    peers: { host: address.host, port: server.peers.port },
  }))
  return { ...alone, servers, seeds: (options.seed ?? []).map(parseAddress) }
}

/** Resolves when standard input ends. */
function endOfInput(): Promise<unknown> {
  return new Promise((resolve) => {
    process.stdin.on('end', resolve).on('error', resolve).resume()
  })
}
