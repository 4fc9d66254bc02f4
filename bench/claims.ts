import { doorBodies } from './door-bodies.ts'
import { doorCpu } from './door-cpu.ts'
import { doorIdle } from './door-idle.ts'
import { doorLatency } from './door-latency.ts'
import type { Claim } from './lab/claim.ts'
import { ring } from './ring.ts'

/** Every benchmark, in the order of `npm run bench -- all`. */
export const claims: readonly Claim[] = [ring, doorCpu, doorBodies, doorLatency, doorIdle]
