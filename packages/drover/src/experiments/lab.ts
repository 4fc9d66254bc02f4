import type { ReplicaView, StatusView } from '../admin/schemas.ts'
import { loadOptions } from '../config/load.ts'
import { fault } from '../errors.ts'
import { startInstance } from '../instance.ts'
import { sampleServer } from '../sample-server.ts'
import { readStatus } from '../status.ts'
import type { System } from '../system.ts'
import { version } from '../version.ts'
import type { Stage } from './stage.ts'
import { until } from './until.ts'

/** A service that runs for an experiment: real replicas behind a real door, on free ports. */
export interface Lab {
  readonly system: System
  /** The front door. */
  readonly url: URL
  /** Runs `count` replicas, and resolves when all get requests. */
  scaleTo(count: number): Promise<void>
  /** Those of the service behind the door that get requests now. */
  ready(): Promise<readonly ReplicaView[]>
  /** How many requests the door has sent to another replica after a first one failed. */
  retries(): Promise<number>
  stop(): Promise<void>
}

type Settings = Readonly<Record<string, unknown>>

/** What an experiment may say about its service; as in drover.yaml. */
export interface LabWish {
  readonly replicas: number
  readonly policy?: string
  readonly service?: Settings
  /** What else runs, without a listener. */
  readonly others?: Readonly<Record<string, Settings>>
  readonly manage?: boolean
  /**
   * Processes that serve requests. Two by default: each has half of the connections, well below the
   * usual limit of open files. With 0 one alone decides whom each request goes to, in order.
   */
  readonly workers?: number
}

const readyMsMax = 30_000

/** Starts a lab in a folder of its own; nothing of it outlives the stage. */
export async function startLab(stage: Stage, wish: LabWish): Promise<Lab> {
  const { replicas, policy, service, others, manage, workers = 2 } = wish
  const folder = await stage.folder()
  const web = {
    ...(service?.addresses === undefined
      ? { command: [process.execPath, homeServer()], replicas }
      : {}),
    ...(policy === undefined ? {} : { policy }),
    // A replica with thousands of requests at once answers its heartbeat late; that is no illness here.
    health: { path: '/heartbeat', timeout: '30s', fall: 10, failures: 0 },
    // Ten thousand at once may take a while on a small machine; nobody is to be sent away.
    queue: { size: 20_000, wait: '1m' },
    // Thousands of connections at once overflow the backlog of one replica. One that is tried again arrives
    // there in the end; sent elsewhere, it would be counted where the policy did not send it. The same holds
    // for one on a connection that was idle for long and that the replica is closing.
    timeouts: { connect: '1m', firstByte: '1m', keepAlive: '500ms' },
    ...service,
  }
  const limits = { connections: 20_000 }
  const timeouts = { head: '1m' }
  const config = {
    services: { web, ...others },
    listeners: [{ address: '127.0.0.1:0', service: 'web', limits, timeouts }],
    admin: { address: 'off' },
    door: { workers, grace: '1s' },
    ...(manage ? { manage: { path: '/' } } : {}),
    data: '.',
  }
  const loaded = loadOptions(config, folder, (key) => key)
  const instance = await stage.open(() => startInstance(loaded))
  const { system } = instance
  const status = () =>
    readStatus(system, { version, pid: process.pid, startedAtMs: 0, file: null, admin: null })
  const lab: Lab = {
    system,
    url: new URL((await status()).listeners[0]?.url ?? ''),
    async scaleTo(count) {
      await system.groups.get('web')?.scale(count, 'the experiment')
      const isThere = async () => (await lab.ready()).length === count
      await until(`${count} replicas get requests`, readyMsMax, isThere)
    },
    async ready() {
      const { services } = await status()
      const replicas = services.find(({ name }) => name === 'web')?.replicas ?? []
      return replicas.filter(isReady)
    },
    async retries() {
      const { services } = await status()
      return services.find(({ name }) => name === 'web')?.retriesTotal ?? 0
    },
    stop: () => instance.stop(),
  }
  await until('everything is ready', readyMsMax, async () => (await missing(status)) === '').catch(
    async (cause) => {
      throw fault('EXPERIMENT_FAILED', `not ready: ${await missing(status)}`, { cause })
    },
  )
  return lab
}

/** Says which services lack replicas, and what the door or their last news says of it. */
async function missing(status: () => Promise<StatusView>): Promise<string> {
  const { services } = await status()
  return services
    .filter(({ replicas, wanted }) => replicas.filter(isReady).length !== wanted)
    .map(({ name, trouble, replicas }) => {
      const reasons = replicas.filter((one) => !isReady(one)).map(({ reason }) => reason)
      return `${name} (${trouble ?? (reasons.join(', ') || 'nothing of it runs')})`
    })
    .join('; ')
}

/** A suspect one gets requests like any other, until it is known to be ill. */
function isReady({ state }: ReplicaView): boolean {
  return state === 'ready' || state === 'suspect'
}

function homeServer(): string {
  const file = sampleServer()
  if (file !== undefined) return file
  throw fault('EXPERIMENT_FAILED', 'the sample server is not there: the project lacks its examples')
}
