import { rm, writeFile } from 'node:fs/promises'
import {
  type Cancel,
  type Clock,
  describeError,
  type Log,
  type Random,
  silentLog,
  systemClock,
  systemRandom,
} from '@drover/kernel'
import { fault } from '../../errors.ts'
import { LineFile } from '../../line-file.ts'
import { Listeners } from '../../listeners.ts'
import type {
  Engine,
  EngineEvent,
  EngineStats,
  Plan,
  RefusedRequest,
  ReplicaPlan,
} from '../../plan.ts'
import { connectionsTo } from '../connections.ts'
import { Counters } from '../counters.ts'
import { DrainWatch } from '../drain-watch.ts'
import { realPorts } from '../ports.ts'
import { openPrivateFolder } from '../private-folder.ts'
import { filesMax, findProgram, runProgram } from '../program.ts'
import { AnswerFiles } from './answer-files.ts'
import { HaproxyProcess } from './haproxy-process.ts'
import { certificateFiles, renderHaproxy } from './render.ts'
import type { HaproxySetting } from './setting.ts'
import { slotCommands } from './slot-commands.ts'
import { assignSlots, type Backend } from './slots.ts'
import { StatReader } from './stat-reader.ts'
import { checkHaproxyPlan } from './support.ts'

/** What the HAProxy engine may be told; everything has a default. */
export interface HaproxyEngineOptions {
  /** The program: a name on the PATH, or a path. Default `haproxy`. */
  readonly program?: string
  /** Threads of the worker. Default: one a core. */
  readonly threads?: number
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Log
}

type Ports = Readonly<Record<string, number>>

const readEveryMs = 250
const leastVersion = [2, 6, 0]
const noPlan: Plan = { listeners: [], services: [], trustedProxies: [] }

/**
 * Returns the data plane that is HAProxy, driven as a child process. Each backend has slots for
 * replicas, more than are used: replicas come, go and change their weights by commands on the admin
 * socket, which touch no request. Anything else is a new configuration, checked by `haproxy -c` and
 * taken up by a seamless reload.
 */
export function createHaproxyEngine(options: HaproxyEngineOptions = {}): Engine {
  return new HaproxyEngine(options)
}

class HaproxyEngine implements Engine {
  readonly name = 'haproxy'
  readonly #options: HaproxyEngineOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #listeners = new Listeners<EngineEvent>()
  readonly #counters = new Counters()
  readonly #stats: StatReader
  readonly #drains: DrainWatch
  #file = ''
  #folder = ''
  #connectionsMax = 1_024
  #ports: Ports = {}
  #plan = noPlan
  #backends: readonly Backend[] = []
  #generation = 0
  #process: HaproxyProcess | undefined
  #accessLog: LineFile | undefined
  #cancelRead: Cancel | undefined

  constructor(options: HaproxyEngineOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
    const emit = (event: EngineEvent) => this.#emit(event)
    this.#stats = new StatReader(this.#counters, emit)
    this.#drains = new DrainWatch(this.#clock, emit, (replica) => this.#underWay(replica))
  }

  async start(plan: Plan): Promise<void> {
    checkHaproxyPlan(plan)
    const { program = 'haproxy' } = this.#options
    const { file } = await findProgram(program, leastVersion, this.#clock)
    this.#file = file
    // Each request needs a file for the client and one for the replica.
    this.#connectionsMax = Math.max(64, Math.floor(((await filesMax()) - 256) / 2))
    this.#folder = await openPrivateFolder('haproxy')
    try {
      await this.#open(plan)
    } catch (error) {
      await this.stop(0)
      throw error
    }
  }

  async apply(plan: Plan): Promise<void> {
    checkHaproxyPlan(plan)
    const ports = await realPorts(plan, this.#ports)
    const backends = assignSlots(plan, this.#backends)
    const isFrameSame =
      frameOf(plan, backends, ports) === frameOf(this.#plan, this.#backends, this.#ports)
    const accessLog = this.#accessLogOf(plan)
    await this.#readStats()
    try {
      if (!isFrameSame || !(await this.#applyBySocket(plan, backends)))
        await this.#applyByReload(plan, backends, ports)
    } catch (error) {
      if (accessLog !== this.#accessLog) await accessLog?.close()
      throw error
    }
    this.#follow(plan, backends, ports)
    this.#useAccessLog(accessLog)
  }

  ports(): Ports {
    return this.#ports
  }

  on(listener: (event: EngineEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** HAProxy tells means of latency only, and no counts of what waited or was limited. */
  async stats(): Promise<EngineStats> {
    await this.#readStats()
    return this.#counters.stats(this.#plan, this.#stats.listeners)
  }

  async refused(): Promise<readonly RefusedRequest[]> {
    return []
  }

  async stop(graceMs: number): Promise<void> {
    this.#cancelRead?.()
    this.#drains.stop()
    await this.#process?.stop(graceMs)
    await this.#accessLog?.close()
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true })
  }

  async #open(plan: Plan): Promise<void> {
    const ports = await realPorts(plan, this.#ports)
    const backends = assignSlots(plan, [])
    this.#useAccessLog(this.#accessLogOf(plan))
    this.#process = new HaproxyProcess({
      file: this.#file,
      folder: this.#folder,
      clock: this.#clock,
      random: this.#options.random ?? systemRandom,
      log: this.#log,
      onAccess: (line) => this.#accessLog?.write(line),
      onTrouble: (reason) => this.#emit({ kind: 'trouble', reason }),
    })
    await this.#check(plan, backends, ports, 1)
    await this.#write(plan, backends, ports, 1)
    await this.#process.start(1)
    this.#generation = 1
    this.#follow(plan, backends, ports)
    this.#cancelRead = this.#clock.every(readEveryMs, () => void this.#readStats())
  }

  /** Changes slots by commands; returns false when not all of them took effect. */
  async #applyBySocket(plan: Plan, backends: readonly Backend[]): Promise<boolean> {
    const commands = slotCommands(this.#backends, backends)
    if (commands === undefined) return false
    // One that dies now comes back with what is written here.
    await this.#write(plan, backends, this.#ports, this.#generation)
    for (const { text, isRight } of commands) {
      const said = (await this.#process?.command(text)) ?? ''
      if (isRight(said.trim())) continue
      this.#log.warn({ engine: 'haproxy', command: text }, said.trim())
      return false
    }
    return true
  }

  async #applyByReload(plan: Plan, backends: readonly Backend[], ports: Ports): Promise<void> {
    const generation = this.#generation + 1
    await this.#check(plan, backends, ports, generation)
    await this.#write(plan, backends, ports, generation)
    try {
      await this.#process?.reload(generation)
    } catch (error) {
      await this.#write(this.#plan, this.#backends, this.#ports, this.#generation)
      throw error
    }
    this.#generation = generation
  }

  /** Has HAProxy itself look for faults, in files of their own. Throws PLAN_REFUSED. */
  async #check(
    plan: Plan,
    backends: readonly Backend[],
    ports: Ports,
    generation: number,
  ): Promise<void> {
    await this.#write(plan, backends, ports, generation, 'next')
    const words = ['-c', '-q', '-f', `${this.#folder}/next.cfg`]
    const { code, output } = await runProgram(this.#file, words, this.#clock)
    if (code !== 0) throw fault('PLAN_REFUSED', `haproxy refuses the plan: ${complaintIn(output)}`)
  }

  async #write(
    plan: Plan,
    backends: readonly Backend[],
    ports: Ports,
    generation: number,
    name = 'haproxy',
  ): Promise<void> {
    const answers = new AnswerFiles(`${this.#folder}/${name}`)
    const setting: HaproxySetting = {
      folder: this.#folder,
      ports,
      threads: this.#options.threads,
      generation,
      connectionsMax: this.#connectionsMax,
      backends,
      answers,
    }
    const text = renderHaproxy(plan, setting)
    for (const side of [...certificateFiles(plan, this.#folder), ...answers.files])
      await writeFile(side.file, side.text, { mode: 0o600 })
    await writeFile(`${this.#folder}/${name}.cfg`, text, { mode: 0o600 })
  }

  #follow(plan: Plan, backends: readonly Backend[], ports: Ports): void {
    this.#plan = plan
    this.#backends = backends
    this.#ports = ports
    this.#counters.follow(plan)
    this.#drains.follow(plan)
  }

  /** The log that `plan` wants: the one that is open, or another. Throws PLAN_REFUSED. */
  #accessLogOf({ accessLogFile: file }: Plan): LineFile | undefined {
    if (file === this.#accessLog?.file) return this.#accessLog
    return file === undefined ? undefined : new LineFile(file, this.#clock)
  }

  #useAccessLog(accessLog: LineFile | undefined): void {
    if (accessLog === this.#accessLog) return
    void this.#accessLog?.close()
    this.#accessLog = accessLog
  }

  async #readStats(): Promise<void> {
    try {
      const text = (await this.#process?.command('show stat')) ?? ''
      this.#stats.read(text, this.#plan, this.#backends)
    } catch (error) {
      // It is being started again; what it counted meanwhile is nothing.
      this.#log.debug({ engine: 'haproxy', cause: describeError(error) }, 'no statistics')
    }
  }

  /** Requests at the worker of now, and connections that workers of before may have kept. */
  async #underWay(replica: ReplicaPlan): Promise<number | undefined> {
    await this.#readStats()
    const count = this.#counters.replica(replica.id)?.inFlight ?? 0
    if (count > 0 || this.#generation === 1) return count
    return connectionsTo(replica.host, replica.port)
  }

  #emit(event: EngineEvent): void {
    this.#listeners.tell(event)
  }
}

/** Everything that commands cannot change: all of a plan but who is there. */
function frameOf(plan: Plan, backends: readonly Backend[], ports: Ports): string {
  const services = plan.services.map((service) => ({ ...service, replicas: [], expected: 0 }))
  const slots = backends.map(({ name, slots }) => [name, slots.length])
  return JSON.stringify([{ ...plan, services }, slots, ports])
}

/** The first alert, without the names of our own files. */
function complaintIn(output: string): string {
  const line = output.split('\n').find((one) => one.includes('[ALERT]')) ?? output
  return line.replace(/^.*\[ALERT\]\s+\(\d+\) : (?:config : )?/, '').trim()
}
