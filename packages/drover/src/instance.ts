import { join } from 'node:path'
import { createLog, type Log, stopAll, systemClock, systemRandom } from '@drover/kernel'
import { addressFault } from './address-fault.ts'
import { createExperimentDesk, type ExperimentDesk } from './admin/experiment-desk.ts'
import { listenAdmin, type RunningAdmin } from './admin/listen.ts'
import { type Loaded, loadFile } from './config/load.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import { createEngine } from './engines.ts'
import { fault } from './errors.ts'
import { createEventLog, type EventLog } from './event-log.ts'
import { rotateLog } from './log-file.ts'
import { System } from './system.ts'
import { version } from './version.ts'

/** One running instance: the system, its admin API, its data folder and its log. */
export interface Instance {
  readonly system: System
  readonly events: EventLog
  /** URL of the admin API; undefined when it is off. */
  readonly admin: string | undefined
  /** Reads the configuration file again. Throws CONFIG_INVALID and others; the old one stays. */
  reload(): Promise<void>
  /** Stops everything, the door first, and gives the data folder back. */
  stop(): Promise<void>
}

/**
 * Starts what `loaded` describes. When something fails, what is up already is stopped again.
 * Throws INSTANCE_RUNNING, ADDRESS_TAKEN, DATA_FOLDER_UNUSABLE and what the parts throw.
 */
export async function startInstance(
  loaded: Loaded,
  events: EventLog = createEventLog(systemClock.now),
): Promise<Instance> {
  const data = await openDataFolder(loaded.dataFolder)
  const up: { stop(): Promise<void> }[] = [{ stop: () => data.close() }]
  try {
    const log = await openLog(data)
    const unlog = events.follow(({ message, id, atMs, level, ...fields }) =>
      level === 'warning' ? log.warn(fields, message) : log.info(fields, message),
    )
    up.push({ stop: async () => unlog() })
    const system = createSystem(loaded, data, events, log)
    up.push({ stop: () => system.stop(loaded.graceMs) })
    await system.start()
    const reload = () => reloadFile(system)
    const folder = join(data.path, 'reports')
    const experiments = createExperimentDesk({ folder, events, clock: systemClock })
    up.push(experiments)
    const admin = await startAdmin(loaded, { system, experiments, reload, log })
    if (admin) up.push(admin)
    await data.announce(admin?.url, loaded.config.admin.token)
    return { system, events, admin: admin?.url, reload, stop: once(() => stopAll(up)) }
  } catch (error) {
    await stopAll(up)
    throw addressFault(error)
  }
}

function createSystem(loaded: Loaded, data: DataFolder, events: EventLog, log: Log): System {
  return new System(loaded, {
    clock: systemClock,
    random: systemRandom,
    log,
    events,
    engine: createEngine(loaded.config.door, log),
    dataFolder: join(data.path, 'supervisor'),
    stickySecret: data.stickySecret,
  })
}

function startAdmin(
  { config }: Loaded,
  parts: {
    readonly system: System
    readonly experiments: ExperimentDesk
    readonly reload: () => Promise<void>
    readonly log: Log
  },
): Promise<RunningAdmin | undefined> {
  const startedAtMs = systemClock.now()
  const file = parts.system.file ?? null
  const about = (admin: string) => ({ version, pid: process.pid, startedAtMs, file, admin })
  return listenAdmin(config.admin, { ...parts, about, clock: systemClock })
}

async function reloadFile(system: System): Promise<void> {
  if (system.file === undefined)
    throw fault('RESTART_NEEDED', 'this instance runs by command line options; there is no file')
  await system.reload(await loadFile(system.file))
}

async function openLog(data: DataFolder): Promise<Log> {
  const file = join(data.path, 'drover.log')
  await rotateLog(file)
  return createLog('drover', { file })
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= action()
    return done
  }
}
