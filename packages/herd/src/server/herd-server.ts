import { join } from 'node:path'
import { type Service, startAll, stopAll, systemClock, systemRandom } from '@drover/kernel'
import { HerdNode, type NodeEvent } from '../flood/node.ts'
import { createTcpTransport } from '../flood/tcp-transport.ts'
import { defaultTimings } from '../flood/timings.ts'
import { loadHerdKey } from '../herd-key.ts'
import type { HerdOptions } from '../options.ts'
import { openPlaces } from '../places/open-places.ts'
import { PlaceService } from '../places/place-service.ts'
import { createFolderDisk } from '../state/disk.ts'
import { Fences } from '../state/fences.ts'
import { HerdState } from '../state/herd-state.ts'
import { neighboursOf, serverOf, type Topology, type TopologyServer } from '../topology.ts'
import { WallClock } from '../wall-clock.ts'
import { ActivityLog } from './activity-log.ts'
import { LineProtocol } from './line-protocol.ts'
import { LineServer } from './line-server.ts'
import type { MapServer, MapServerOptions } from './map-server.ts'
import { readTls } from './read-tls.ts'
import { RecordMap } from './record-map.ts'
import { type HerdSettings, settingsOf } from './settings.ts'
import { Upkeep } from './upkeep.ts'

/** The lenient profile waits so long for the rest of a line, and so long for another one. */
const lenient = { partialLineMs: 300, idleMs: 2_000 }
const strict = { partialLineMs: 0, idleMs: 0 }
/** In a larger herd with a fixed graph nobody is told of everybody: that grows with the square. */
const gossipMax = 64
/** Neighbours that a server chooses which joins by seeds. */
const joinDegree = 3
/** Bytes of text that a record may take on average before the state is full. */
const textBytesPerRecord = 176

/** A running server of the herd. */
export interface HerdServer extends Service {
  readonly name: string
  /** The ports that it really has. */
  readonly ports: { readonly clients: number; readonly peers: number; readonly http: number }
  readonly node: HerdNode
  readonly fences: Fences
  /** The state as a general map: records of other kinds than locations. */
  readonly records: RecordMap
}

/**
 * Makes the server `name` of a topology; nothing runs before `start`. Throws TOPOLOGY_INVALID,
 * PLACES_FILE_INVALID.
 *
 *   clients ─▶ LineServer ─▶ LineProtocol ─▶ HerdNode ─▶ links ─▶ other servers
 *                                  └─▶ PlaceService     └─▶ HerdState ─▶ Fences ─▶ MapServer (HTTP)
 */
export async function createHerdServer(
  name: string,
  topology: Topology,
  options: HerdOptions = {},
): Promise<HerdServer> {
  const clock = systemClock
  const server = serverOf(topology, name)
  const settings = settingsOf(topology, options)
  const provider = options.places ?? (await openPlaces(topology.settings.places))
  const file = settings.logDirectory && join(settings.logDirectory, `${name}.log`)
  const log = file === undefined ? undefined : new ActivityLog({ file, clock })
  const places = new PlaceService({ provider, clock })
  const node = await createNode(server, topology, options, (event) => {
    note(log, event)
    map?.linksChanged()
  })
  const wallClock = new WallClock(clock)
  const protocol = new LineProtocol({
    node,
    places,
    profile: settings.profile,
    skewMs: settings.skewMs,
    clock: wallClock,
    log,
  })
  const lines = new LineServer({
    address: server.address,
    handler: protocol,
    clock,
    log,
    connectionsMax: settings.connectionsMax,
    keptBytesMax: options.keptBytesMax ?? 64 * 1_048_576,
    unreadBytesMax: options.unreadBytesMax ?? 256 * 1_048_576,
    ...(settings.profile === 'lenient' ? lenient : strict),
  })
  const fences = new Fences()
  const records = new RecordMap(node, wallClock)
  const map = await createMap(options, server, { node, fences, places, lines, protocol, records })
  observe(node.state, fences, map)
  const upkeep = createUpkeep(name, node.state, settings, options, log)
  const services: Service[] = [upkeep, node, lines, ...(map ? [map] : [])]
  return {
    name,
    node,
    fences,
    records,
    get ports() {
      return { clients: lines.port, peers: node.identity.address.port, http: map?.port ?? 0 }
    },
    async start() {
      log?.event('herd.server.started', { server: name, sync: node.sync })
      await startAll(services)
    },
    async stop() {
      await stopAll(services)
      await places.close()
      log?.event('herd.server.stopped', { server: name })
      await log?.close()
    },
  }
}

/** Makes and starts a server; resolves when clients can connect. */
export async function serveHerd(
  name: string,
  topology: Topology,
  options: HerdOptions = {},
): Promise<HerdServer> {
  const server = await createHerdServer(name, topology, options)
  await server.start()
  return server
}

async function createNode(
  { name, peers }: TopologyServer,
  topology: Topology,
  options: HerdOptions,
  onEvent: (event: NodeEvent) => void,
): Promise<HerdNode> {
  const { sync, recordsMax, lifetimeMs } = settingsOf(topology, options)
  const state = new HerdState({
    recordsMax,
    textBytesMax: Math.max(1_048_576, recordsMax * textBytesPerRecord),
    lifetimeMs,
    hashSeed: systemRandom.integer(0, 2 ** 31),
  })
  const tls = options.tls ?? (await readTls(topology.settings.tls))
  return new HerdNode({
    name,
    address: peers,
    key: options.key ?? (await loadHerdKey(topology)),
    neighbours: neighboursOf(topology, name).map((other) => ({
      name: other.name,
      address: other.peers,
    })),
    ...(topology.seeds.length > 0 && { join: { seeds: topology.seeds, degree: joinDegree } }),
    sync,
    gossip: topology.seeds.length > 0 || topology.servers.length <= gossipMax,
    // Without sync nothing else would bring what a full queue leaves out.
    outboxMax: sync ? (options.outboxMax ?? 65_536) : recordsMax,
    timings: { ...defaultTimings, ...options.timings },
    state,
    transport: createTcpTransport(tls),
    clock: systemClock,
    random: systemRandom,
    defer: setImmediate,
    onEvent,
  })
}

async function createMap(
  options: HerdOptions,
  server: TopologyServer,
  parts: Pick<MapServerOptions, 'node' | 'fences' | 'places' | 'lines' | 'protocol' | 'records'>,
): Promise<MapServer | undefined> {
  const address = options.http ?? server.http
  if (!address) return undefined
  // Loaded when needed: it takes a third of a server's start, and few have the port.
  const { MapServer: Server } = await import('./map-server.ts')
  const fencesMax = options.fencesMax ?? 100_000
  return new Server({ ...parts, name: server.name, address, clock: systemClock, fencesMax })
}

function createUpkeep(
  name: string,
  state: HerdState,
  settings: HerdSettings,
  options: HerdOptions,
  log: ActivityLog | undefined,
): Upkeep {
  // A server that is told nothing old remembers nothing old either.
  const directory = settings.sync ? settings.dataDirectory : undefined
  return new Upkeep(state, name, {
    disk: directory === undefined ? undefined : createFolderDisk(directory),
    snapshotMs: options.snapshotMs ?? 60_000,
    log,
  })
}

function note(log: ActivityLog | undefined, event: NodeEvent): void {
  const { kind, ...fields } = event
  log?.event(`herd.peer.${kind}`, fields)
}

/** Tells fences and the live map of every move. */
function observe(state: HerdState, fences: Fences, map: MapServer | undefined): void {
  const to = { latitude: 0, longitude: 0 }
  state.observer = {
    moved(slot, from) {
      if (fences.count > 0) {
        to.latitude = state.latitudeAt(slot)
        to.longitude = state.longitudeAt(slot)
        fences.moved(slot, from, to)
      }
      map?.moved(slot)
    },
    expired(slot) {
      to.latitude = state.latitudeAt(slot)
      to.longitude = state.longitudeAt(slot)
      fences.moved(slot, to, undefined)
      map?.expired(slot)
    },
  }
}
