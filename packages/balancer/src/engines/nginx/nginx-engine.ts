import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
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
import { Listeners } from '../../listeners.ts'
import type { Engine, EngineEvent, EngineStats, ListenerStats, Plan } from '../../plan.ts'
import { Counters } from '../counters.ts'
import { DrainWatch } from '../drain-watch.ts'
import { realPorts } from '../ports.ts'
import { openPrivateFolder } from '../private-folder.ts'
import { filesMax, findProgram, runProgram } from '../program.ts'
import { CountLog } from './count-log.ts'
import { NginxProcess } from './nginx-process.ts'
import { renderNginx } from './render.ts'
import { servedBy } from './render-upstream.ts'
import { certificateFiles, type NginxSetting } from './setting.ts'
import { askConnections } from './status-socket.ts'
import { checkNginxPlan, type NginxAbilities } from './support.ts'

/** What the nginx engine may be told; everything has a default. */
export interface NginxEngineOptions {
  /** The program: a name on the PATH, or a path. Default `nginx`. */
  readonly program?: string
  /** Worker processes. More serve more, and each keeps connections of its own. Default: one a core. */
  readonly workers?: number
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Log
}

const countEveryMs = 250
const leastVersion = [1, 20, 0]
const noPlan: Plan = { listeners: [], services: [], trustedProxies: [] }

/**
 * Returns the data plane that is nginx, driven as a child process: its configuration is written to a
 * private folder, checked by `nginx -t`, and taken up by a reload, after which old workers end the
 * requests that they have.
 */
export function createNginxEngine(options: NginxEngineOptions = {}): Engine {
  return new NginxEngine(options)
}

class NginxEngine implements Engine {
  readonly name = 'nginx'
  readonly #options: NginxEngineOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #listeners = new Listeners<EngineEvent>()
  readonly #counters = new Counters()
  readonly #drains: DrainWatch
  #file = ''
  #abilities: NginxAbilities = { version: [], stream: 'none', filesMax: 1_024 }
  #folder = ''
  #ports: Readonly<Record<string, number>> = {}
  #plan = noPlan
  #generation = 0
  /** What nginx last found no fault in, but for who is there. */
  #checked = ''
  #process: NginxProcess | undefined
  #countLog: CountLog | undefined
  #cancelCount: Cancel | undefined

  constructor(options: NginxEngineOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
    this.#drains = new DrainWatch(this.#clock, (event) => this.#emit(event))
  }

  async start(plan: Plan): Promise<void> {
    const { program = 'nginx' } = this.#options
    const { file, version } = await findProgram(program, leastVersion, this.#clock)
    this.#file = file
    this.#abilities = {
      version,
      stream: await findStream(file, this.#clock),
      filesMax: await filesMax(),
    }
    checkNginxPlan(plan, this.#abilities)
    this.#folder = await openPrivateFolder('nginx')
    await mkdir(`${this.#folder}/nothing`)
    try {
      await this.#open(plan)
    } catch (error) {
      await this.stop(0)
      throw error
    }
  }

  async apply(plan: Plan): Promise<void> {
    checkNginxPlan(plan, this.#abilities)
    const ports = await realPorts(plan, this.#ports)
    const before = await readFile(this.#confFile(), 'utf8')
    await this.#write(plan, ports, this.#generation + 1)
    try {
      await this.#process?.reload(this.#generation + 1)
    } catch (error) {
      this.#checked = ''
      await writeFile(this.#confFile(), before)
      throw error
    }
    this.#generation++
    this.#follow(plan, ports)
  }

  ports(): Readonly<Record<string, number>> {
    return this.#ports
  }

  on(listener: (event: EngineEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** nginx counts connections over all listeners only: with several, each shows zero. */
  async stats(): Promise<EngineStats> {
    await this.#count()
    const connections = await askConnections(this.#folder, this.#clock)
    const isOnly = this.#plan.listeners.length === 1
    const listeners = this.#plan.listeners.map(
      ({ name }): ListenerStats => ({
        name,
        connectionsOpen: isOnly ? (connections?.open ?? 0) : 0,
        connectionsTotal: isOnly ? (connections?.accepted ?? 0) : 0,
        connectionsRefusedTotal: isOnly
          ? (connections?.accepted ?? 0) - (connections?.handled ?? 0)
          : 0,
        refusedTotal: {},
      }),
    )
    return this.#counters.stats(this.#plan, listeners)
  }

  async refused(): Promise<readonly []> {
    return []
  }

  async stop(graceMs: number): Promise<void> {
    this.#cancelCount?.()
    this.#drains.stop()
    await this.#process?.stop(graceMs)
    await this.#countLog?.close()
    this.#countLog = undefined
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true })
  }

  async #open(plan: Plan): Promise<void> {
    const ports = await realPorts(plan, this.#ports)
    this.#countLog = await CountLog.open(`${this.#folder}/count.log`, this.#counters, (event) =>
      this.#emit(event),
    )
    this.#process = new NginxProcess({
      file: this.#file,
      folder: this.#folder,
      clock: this.#clock,
      random: this.#options.random ?? systemRandom,
      log: this.#log,
      onRefused: (address, reason) => this.#refusedAt(address, reason),
      onTrouble: (reason) => this.#emit({ kind: 'trouble', reason }),
    })
    await this.#write(plan, ports, 1)
    await this.#process.start(1)
    this.#generation = 1
    this.#follow(plan, ports)
    this.#cancelCount = this.#clock.every(countEveryMs, () => void this.#count())
  }

  /** Writes the configuration in place of the old one once nginx itself finds no fault in it. */
  async #write(
    plan: Plan,
    ports: Readonly<Record<string, number>>,
    generation: number,
  ): Promise<void> {
    const setting: NginxSetting = {
      abilities: this.#abilities,
      folder: this.#folder,
      ports,
      workers: this.#options.workers ?? 'auto',
      generation,
    }
    for (const { file, text } of certificateFiles(plan, this.#folder))
      await writeFile(file, text, { mode: 0o600 })
    const next = `${this.#folder}/next.conf`
    await writeFile(next, renderNginx(plan, setting))
    // Other replicas cannot make a good configuration bad, and each check costs a reload's time.
    const frame = frameOf(plan, ports)
    if (frame !== this.#checked) await this.#check(next)
    this.#checked = frame
    await rename(next, this.#confFile())
  }

  async #check(next: string): Promise<void> {
    const words = ['-p', this.#folder, '-e', 'stderr', '-t', '-q', '-c', next]
    const { code, output } = await runProgram(this.#file, words, this.#clock)
    if (code !== 0) throw fault('PLAN_REFUSED', `nginx refuses the plan: ${complaintIn(output)}`)
  }

  async #count(): Promise<void> {
    try {
      await this.#countLog?.read(this.#clock.monotonic())
    } catch (error) {
      // It was closed meanwhile, or the disk is in trouble; the next time may be better.
      this.#log.debug({ engine: 'nginx', cause: describeError(error) }, 'nothing was counted')
    }
  }

  #follow(plan: Plan, ports: Readonly<Record<string, number>>): void {
    this.#plan = plan
    this.#ports = ports
    this.#counters.follow(plan)
    this.#drains.follow(plan)
  }

  #refusedAt(address: string, reason: string): void {
    for (const { name } of this.#plan.services) {
      const replica = this.#counters.idAt(name, address)
      if (replica !== undefined) this.#emit({ kind: 'failed', replica, reason, refused: true })
    }
  }

  #confFile(): string {
    return `${this.#folder}/nginx.conf`
  }

  #emit(event: EngineEvent): void {
    this.#listeners.tell(event)
  }
}

/** Finds out whether nginx can serve TCP, from how it was built. */
async function findStream(file: string, clock: Clock): Promise<NginxAbilities['stream']> {
  const { output } = await runProgram(file, ['-V'], clock)
  if (/--with-stream(?:\s|$)/.test(output)) return 'built-in'
  const folder = /--modules-path=(\S+)/.exec(output)?.[1] ?? ''
  const moduleFile = `${folder}/ngx_stream_module.so`
  return existsSync(moduleFile) ? { moduleFile } : 'none'
}

/** All of a configuration but its replicas; a service without any is another thing to nginx. */
function frameOf(plan: Plan, ports: Readonly<Record<string, number>>): string {
  const services = plan.services.map((service) => ({
    ...service,
    replicas: servedBy(service).length > 0,
    expected: 0,
  }))
  return JSON.stringify([{ ...plan, services }, ports])
}

/** The first complaint, without the names of our own files. */
function complaintIn(output: string): string {
  const line = output.split('\n').find((one) => one.includes('[emerg]')) ?? output
  return line.replace(/^.*\[emerg\] (?:\d+#\d+: )?/, '').trim()
}
