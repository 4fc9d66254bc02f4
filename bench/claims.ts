import { chunks } from './chunks.ts'
import { chunksBackends } from './chunks-backends.ts'
import { chunksCores } from './chunks-cores.ts'
import { chunksMemory } from './chunks-memory.ts'
import { chunksUpload } from './chunks-upload.ts'
import { doorBodies } from './door-bodies.ts'
import { doorCpu } from './door-cpu.ts'
import { doorEwma } from './door-ewma.ts'
import { doorIdle } from './door-idle.ts'
import { doorKill } from './door-kill.ts'
import { doorLatency } from './door-latency.ts'
import { doorRolling } from './door-rolling.ts'
import { doorStale } from './door-stale.ts'
import { herd } from './herd.ts'
import { jobsCycle } from './jobs-cycle.ts'
import { jobsIdle } from './jobs-idle.ts'
import { jobsPages } from './jobs-pages.ts'
import { jobsSubmit } from './jobs-submit.ts'
import type { Claim } from './lab/claim.ts'
import { queue } from './queue.ts'
import { queueDelivery } from './queue-delivery.ts'
import { queueMemory } from './queue-memory.ts'
import { ring } from './ring.ts'
import { runtimes } from './runtimes.ts'

/** Every benchmark, in the order of `npm run bench -- all`. */
export const claims: readonly Claim[] = [
  ring,
  doorCpu,
  doorBodies,
  doorLatency,
  doorIdle,
  doorKill,
  doorRolling,
  doorStale,
  doorEwma,
  herd,
  queue,
  queueDelivery,
  queueMemory,
  jobsCycle,
  jobsSubmit,
  jobsIdle,
  jobsPages,
  chunks,
  chunksCores,
  chunksMemory,
  chunksUpload,
  chunksBackends,
  runtimes,
]
