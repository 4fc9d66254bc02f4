import { join } from 'node:path'
import { type Clock, describeError, type Log, type Random } from '@drover/kernel'
import { DiskGuard } from './disk-guard.ts'
import { Front } from './front.ts'
import { createFrontServer } from './front-server.ts'
import type { RequestQueue } from './request-queue.ts'
import { RequestStore } from './request-store.ts'
import { TaskClient } from './tasks/task-client.ts'
import { Adoption } from './uploads/adoption.ts'
import { TusStore } from './uploads/tus-store.ts'

/** Every knob of the service. */
export interface ServiceOptions {
  readonly host: string
  readonly port: number
  /** Where uploads and results are kept. */
  readonly folder: string
  /** The front door before the backends. */
  readonly backendsUrl: string
  readonly queue: RequestQueue
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Bytes of uploads and results together. Default 50 GiB. */
  readonly quotaBytes?: number
  /** Uploads are refused while the disk is fuller than this share. Default 0.95. */
  readonly highWater?: number
  /** The largest upload, unpacked. Default 1 TiB. */
  readonly uploadBytesMax?: number
  /** The most chunks of one file. Default 1,000,000. */
  readonly chunksMax?: number
  /** Tasks under way at one time; memory is about this × 4 MiB × 3. Default 6. */
  readonly window?: number
  /** Requests worked on at one time. Default 1: in the order of the queue. */
  readonly workers?: number
  /** Requests that may wait. Default 1,000. */
  readonly waitingMax?: number
  /** Uploads at one time; each takes about 2 MiB of memory. Default 64. */
  readonly receivingMax?: number
  /** Requests that ended and are kept; the oldest are forgotten first. Default 10,000. */
  readonly endedMax?: number
  /** How long results and unfinished uploads are kept, in ms. Default a day. */
  readonly keepMs?: number
  /** How long a task is tried on backends that are busy or gone, in ms. Default two minutes. */
  readonly taskMs?: number
}

/** A service that runs. */
export interface RunningChunks {
  readonly url: string
  readonly front: Front
  /** Tasks that were repeated since the start. */
  repeated(): number
  stop(): Promise<void>
}

const dayMs = 86_400_000
const sweepMs = 10_000

/** Starts the front: takes up what the last run left, then listens. */
export async function startChunks(options: ServiceOptions): Promise<RunningChunks> {
  const { clock, random, log, folder, queue } = options
  const { quotaBytes = 50 * 2 ** 30, highWater = 0.95, keepMs = dayMs } = options
  const uploadBytesMax = options.uploadBytesMax ?? 2 ** 40
  const guard = new DiskGuard(folder, { quotaBytes, highWater }, clock)
  const tasks = new TaskClient({
    url: options.backendsUrl,
    ...{ clock, random },
    window: options.window ?? 6,
    firstAttemptMs: 15_000,
    deadlineMs: options.taskMs ?? 120_000,
  })
  const front = new Front({
    store: new RequestStore(join(folder, 'requests')),
    ...{ queue, guard, tasks, clock, log, keepMs, uploadBytesMax },
    workers: options.workers ?? 1,
    waitingMax: options.waitingMax ?? 1_000,
    receivingMax: options.receivingMax ?? 64,
    endedMax: options.endedMax ?? 10_000,
    chunksMax: options.chunksMax ?? 1_000_000,
  })
  const uploads = new TusStore(join(folder, 'uploads'), guard, clock, keepMs)
  const adoption = new Adoption(front, uploads, log)
  await uploads.start()
  await front.start()
  await adoption.catchUp()
  const sweep = async () => {
    await uploads.sweep()
    await adoption.catchUp()
  }
  const unsweep = clock.every(sweepMs, () => {
    sweep().catch((error) => log.error({ cause: describeError(error) }, 'uploads are not swept'))
  })
  const parts = { front, guard, tasks, uploads, adoption, uploadBytesMax, clock, log }
  const server = await createFrontServer(parts)
  const stop = async () => {
    unsweep()
    await server.close()
    await front.stop()
    tasks.close()
  }
  try {
    const url = await server.listen({ host: options.host, port: options.port })
    return { url, front, repeated: () => tasks.repeated, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
