export { askHerd, type HerdClient, sayToHerd } from './client.ts'
export { herdFaults } from './errors.ts'
export type { HerdOptions } from './options.ts'
export type { PlacesProvider } from './places/places.ts'
export { raiseHerd } from './raise-herd.ts'
export type { ClientView } from './server/describe-client.ts'
export { createHerdServer, type HerdServer, serveHerd } from './server/herd-server.ts'
export { type FenceShape, Fences } from './state/fences.ts'
export { HerdState, type StateLimits, type StateObserver } from './state/herd-state.ts'
export { createRecord, type HerdRecord } from './state/record.ts'
export { clientsInBox, clientsWithin, type Hit, nearestClients } from './state/search.ts'
export { stormHerd } from './storm.ts'
export {
  builtinTopologies,
  createTopology,
  findTopology,
  loadTopology,
  serverOf,
  type Topology,
  type TopologyServer,
} from './topology.ts'
export { type FenceMessage, watchHerd } from './watch.ts'
