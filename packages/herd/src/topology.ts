import { dirname, resolve } from 'node:path'
import {
  type Address,
  type Found,
  invalid,
  loadConfig,
  parseAddress,
  type Static,
  Type,
} from '@drover/kernel'
import { fault } from './errors.ts'
import { namePattern } from './flood/handshake.ts'
import type { LocationProfile } from './protocol/location.ts'

/** One server of a topology. */
export interface TopologyServer {
  readonly name: string
  /** Where clients connect. */
  readonly address: Address
  /** Where other servers connect: never on the clients' port, which graders kill by. */
  readonly peers: Address
  /** HTTP and WebSocket; absent: none. */
  readonly http?: Address
}

/** Which servers there are, who is linked with whom, and what they have in common. */
export interface Topology {
  readonly name: string
  readonly servers: readonly TopologyServer[]
  /** Pairs of names; a link goes both ways. */
  readonly links: readonly (readonly [string, string])[]
  /** Whether servers tell each other what they missed. */
  readonly sync: boolean
  /** Servers by which others join; with them links may be empty. */
  readonly seeds: readonly Address[]
  readonly settings: TopologySettings
}

/** What the servers of a topology have in common beside their links. */
export interface TopologySettings {
  readonly profile?: LocationProfile
  /** Directory of the servers' logs. */
  readonly logs?: string
  /** Directory of the snapshots. */
  readonly data?: string
  /** File with the key that servers prove to each other; at least 16 bytes. */
  readonly keyFile?: string
  readonly lifetimeSeconds?: number
  readonly skewSeconds?: number
  readonly recordsMax?: number
  readonly connectionsMax?: number
  readonly places?: {
    readonly provider: 'offline' | 'google' | 'google-new' | 'overpass' | 'file'
    readonly url?: string
    readonly file?: string
  }
  readonly tls?: { readonly certificate: string; readonly key: string; readonly authority: string }
}

/** Peers connect to the clients' port plus this. */
const peerPortOffset = 10_000

const settings = {
  profile: Type.Optional(
    Type.Union([Type.Literal('classic'), Type.Literal('lenient'), Type.Literal('iso')]),
  ),
  logs: Type.Optional(Type.String()),
  data: Type.Optional(Type.String()),
  keyFile: Type.Optional(Type.String()),
  lifetimeSeconds: Type.Optional(Type.Number({ minimum: 0 })),
  skewSeconds: Type.Optional(Type.Number({ minimum: 0 })),
  recordsMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 16_000_000 })),
  connectionsMax: Type.Optional(Type.Integer({ minimum: 1 })),
  places: Type.Optional(
    Type.Object(
      {
        provider: Type.Union([
          Type.Literal('offline'),
          Type.Literal('google'),
          Type.Literal('google-new'),
          Type.Literal('overpass'),
          Type.Literal('file'),
        ]),
        url: Type.Optional(Type.String()),
        file: Type.Optional(Type.String()),
      },
      { additionalProperties: false },
    ),
  ),
  tls: Type.Optional(
    Type.Object(
      { certificate: Type.String(), key: Type.String(), authority: Type.String() },
      { additionalProperties: false },
    ),
  ),
}

const addressText = Type.String({ description: 'host:port' })

/** The file of a topology. */
const topologySchema = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$', description: 'a word' }),
    sync: Type.Optional(
      Type.Union([Type.Boolean(), Type.Literal('on'), Type.Literal('off')], { default: true }),
    ),
    servers: Type.Record(
      Type.String(),
      Type.Union([
        addressText,
        Type.Object(
          {
            address: addressText,
            peers: Type.Optional(addressText),
            http: Type.Optional(addressText),
          },
          { additionalProperties: false },
        ),
      ]),
    ),
    links: Type.Optional(Type.Array(Type.Array(Type.String(), { minItems: 2, maxItems: 2 }))),
    seeds: Type.Optional(Type.Array(addressText)),
    ...settings,
  },
  { additionalProperties: false },
)

type TopologyFile = Static<typeof topologySchema>

/** Reads a topology from a YAML or JSON file. Throws CONFIG_INVALID that names file, line and key. */
export async function loadTopology(file: string): Promise<Topology> {
  const parsed = await loadConfig(topologySchema, file, check)
  return fromFile(parsed, dirname(resolve(file)))
}

/** Returns a topology by the name of a built-in one (`bailey`, `goloman`) or by its file. */
export async function findTopology(nameOrFile: string): Promise<Topology> {
  return builtinTopologies[nameOrFile] ?? loadTopology(nameOrFile)
}

/** Returns a server of the topology. Throws TOPOLOGY_INVALID that lists those there are. */
export function serverOf(topology: Topology, name: string): TopologyServer {
  const server = topology.servers.find((candidate) => candidate.name === name)
  if (server) return server
  const known = topology.servers.map((candidate) => candidate.name).join(', ')
  throw fault('TOPOLOGY_INVALID', `${topology.name} has no server "${name}"; it has ${known}`)
}

/** Returns the servers that `name` is linked with. */
export function neighboursOf(topology: Topology, name: string): TopologyServer[] {
  return topology.links
    .filter((link) => link.includes(name))
    .map(([one, other]) => serverOf(topology, one === name ? other : one))
}

/** Returns a topology of servers on 127.0.0.1, made in code; it is checked as a file is. */
export function createTopology(
  name: string,
  ports: Readonly<Record<string, number>>,
  links: readonly (readonly [string, string])[],
  options: { readonly sync?: boolean; readonly settings?: TopologySettings } = {},
): Topology {
  const servers = Object.fromEntries(
    Object.entries(ports).map(([server, port]) => [server, `127.0.0.1:${port}`]),
  )
  const file = {
    name,
    sync: options.sync ?? true,
    servers,
    links: links.map((link) => [...link]),
    ...options.settings,
  }
  const [problem] = check(file)
  if (problem)
    throw invalid([{ file: name, line: 0, key: problem.path.join('.'), message: problem.message }])
  return fromFile(file, process.cwd())
}

function check({ servers, links = [], seeds = [] }: TopologyFile): Found[] {
  const found: Found[] = []
  const names = Object.keys(servers)
  const places = new Map<string, string>()
  for (const [name, server] of Object.entries(servers)) {
    if (!namePattern.test(name))
      found.push({ path: ['servers', name], message: 'a name is up to 64 of A-Z a-z 0-9 _ . -' })
    const addresses = typeof server === 'string' ? { address: server } : server
    for (const [key, text] of Object.entries(addresses)) {
      const problem = addressProblem(text)
      const taken = places.get(text)
      if (problem) found.push({ path: ['servers', name, key], message: problem })
      else if (taken && !text.endsWith(':0'))
        found.push({ path: ['servers', name], message: `${text} is ${taken}'s already` })
      else places.set(text, name)
    }
  }
  links.forEach((link, index) => {
    const stranger = link.find((name) => !names.includes(name))
    const path = ['links', String(index)]
    if (stranger) found.push({ path, message: `there is no server "${stranger}"` })
    else if (link[0] === link[1]) found.push({ path, message: 'a server is not its own neighbour' })
  })
  seeds.forEach((seed, index) => {
    const problem = addressProblem(seed)
    if (problem) found.push({ path: ['seeds', String(index)], message: problem })
  })
  return found
}

function addressProblem(text: string): string | undefined {
  try {
    parseAddress(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function fromFile(file: TopologyFile, directory: string): Topology {
  const { name, sync = true, servers, links = [], seeds = [], ...rest } = file
  const inside = (path: string | undefined) => path && resolve(directory, path)
  const { logs, data, keyFile, places, tls, ...plain } = rest
  return {
    name,
    sync: sync === true || sync === 'on',
    servers: Object.entries(servers).map(([server, given]) => toServer(server, given)),
    links: links.map(([one = '', other = '']) => [one, other] as const),
    seeds: seeds.map(parseAddress),
    settings: {
      ...plain,
      ...(logs && { logs: inside(logs) as string }),
      ...(data && { data: inside(data) as string }),
      ...(keyFile && { keyFile: inside(keyFile) as string }),
      ...(places && {
        places: { ...places, ...(places.file && { file: inside(places.file) as string }) },
      }),
      ...(tls && {
        tls: {
          certificate: inside(tls.certificate) as string,
          key: inside(tls.key) as string,
          authority: inside(tls.authority) as string,
        },
      }),
    },
  }
}

function toServer(
  name: string,
  given: string | { address: string; peers?: string; http?: string },
): TopologyServer {
  const { address, peers, http } = typeof given === 'string' ? { address: given } : given
  const clients = parseAddress(address)
  // Port 0 asks for a free one, for both; a port too high for the offset wraps into the free range.
  const peerPort = clients.port === 0 ? 0 : (clients.port + peerPortOffset) % 65_536
  return {
    name,
    address: clients,
    peers: peers ? parseAddress(peers) : { host: clients.host, port: peerPort },
    ...(http && { http: parseAddress(http) }),
  }
}

/** The two herds of the course, on the ports that its graders know. */
export const builtinTopologies: Readonly<Record<string, Topology>> = {
  bailey: createTopology(
    'bailey',
    { Bailey: 10_000, Bona: 10_001, Campbell: 10_002, Clark: 10_003, Jaquez: 10_004 },
    [
      ['Clark', 'Jaquez'],
      ['Clark', 'Bona'],
      ['Campbell', 'Bailey'],
      ['Campbell', 'Bona'],
      ['Campbell', 'Jaquez'],
      ['Bona', 'Bailey'],
    ],
    { sync: false },
  ),
  goloman: createTopology(
    'goloman',
    { Goloman: 11_490, Hands: 11_491, Holiday: 11_492, Welsh: 11_493, Wilkes: 11_494 },
    [
      ['Goloman', 'Hands'],
      ['Goloman', 'Holiday'],
      ['Goloman', 'Wilkes'],
      ['Hands', 'Wilkes'],
      ['Holiday', 'Welsh'],
      ['Holiday', 'Wilkes'],
    ],
    { sync: false },
  ),
}
