import { rm } from 'node:fs/promises'
import type { Clock, Log, Random } from '@drover/kernel'
import { fault } from '../../errors.ts'
import { GuardedProcess } from '../guarded-process.ts'
import { Respawn } from '../respawn.ts'
import { askGeneration } from './status-socket.ts'

/** What a running nginx is made of, and whom it tells. */
export interface NginxProcessParts {
  readonly file: string
  readonly folder: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** A connection to a replica at `address` was refused. */
  onRefused(address: string, reason: string): void
  onTrouble(reason: string): void
}

const startMs = 10_000
const reloadMs = 10_000
const pollMs = 5
/** Lines of nginx's that are passed on to our log, per second at most. */
const linesPerSecond = 20

/**
 * nginx as a child: a master process that runs workers. It is started again when it dies, and told
 * from its own notices when a reload is through: the new workers answer, and each of the old ones
 * has said that it shuts down, after which it takes no connection any more.
 */
export class NginxProcess {
  readonly #parts: NginxProcessParts
  readonly #respawn: Respawn
  #process: GuardedProcess | undefined
  /** Workers that accept connections. */
  readonly #workers = new Set<number>()
  /** The last complaint that keeps nginx from a configuration. */
  #complaint: string | undefined
  /** The configuration that should answer. */
  #generation = 0
  #linesThisSecond = 0
  #second = 0

  constructor(parts: NginxProcessParts) {
    this.#parts = parts
    const start = () => this.start(this.#generation)
    this.#respawn = new Respawn(parts.clock, parts.random, start)
  }

  /** Starts nginx; resolves when it answers by the configuration `generation`. */
  async start(generation: number): Promise<void> {
    this.#generation = generation
    this.#complaint = undefined
    const { file, folder } = this.#parts
    const command = [file, '-p', folder, '-e', 'stderr', '-c', `${folder}/nginx.conf`]
    // One that was killed leaves its socket, on which no other can listen.
    await rm(`${folder}/status.sock`, { force: true })
    const listener = {
      onLine: (line: string) => this.#read(line),
      onExit: (how: string) => this.#restart(how),
    }
    this.#process = await GuardedProcess.start(command, listener, this.#parts.clock)
    await this.#until('starts', startMs, () => this.#answers())
  }

  /** Has nginx read its configuration again; resolves when only `generation` accepts connections. */
  async reload(generation: number): Promise<void> {
    const old = [...this.#workers]
    const before = this.#generation
    this.#generation = generation
    this.#complaint = undefined
    this.#process?.signal('SIGHUP')
    const isThrough = async () =>
      old.every((pid) => !this.#workers.has(pid)) && (await this.#answers())
    try {
      await this.#until('reloads', reloadMs, isThrough)
    } catch (error) {
      this.#generation = before
      throw error
    }
  }

  /** Lets requests end within `graceMs`, then ends nginx. */
  async stop(graceMs: number): Promise<void> {
    this.#respawn.end()
    await this.#process?.end('SIGQUIT', graceMs, this.#parts.clock)
  }

  async #answers(): Promise<boolean> {
    return (await askGeneration(this.#parts.folder, this.#parts.clock)) === this.#generation
  }

  /** Throws ENGINE_FAILED when nginx complains, or does not get there in time. */
  async #until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void> {
    const { clock } = this.#parts
    const untilMs = clock.monotonic() + withinMs
    while (!(await holds())) {
      if (this.#complaint !== undefined) throw fault('ENGINE_FAILED', this.#complaint)
      if (clock.monotonic() > untilMs)
        throw fault('ENGINE_FAILED', `nginx does not answer ${withinMs} ms after it ${what}`)
      await clock.sleep(pollMs)
    }
    this.#respawn.settled()
  }

  #restart(how: string): void {
    this.#workers.clear()
    if (this.#respawn.ended) return
    this.#complaint ??= `nginx ended (${how})`
    this.#parts.onTrouble(`${this.#complaint}; it is started again`)
    this.#respawn.again()
  }

  #read(line: string): void {
    const match = /^\S+ \S+ \[(\w+)\] (\d+)#\d+: (.*)$/.exec(line)
    if (!match) {
      this.#pass('info', line)
      return
    }
    const [, level = '', pid = '', text = ''] = match
    if (level === 'notice') this.#readNotice(Number(pid), text)
    else if (level === 'emerg') this.#readEmergency(text)
    else this.#readError(level, text)
  }

  #readNotice(pid: number, text: string): void {
    const started = /^start worker process (\d+)$/.exec(text)?.[1]
    const exited = /^worker process (\d+) exited/.exec(text)?.[1]
    if (started) this.#workers.add(Number(started))
    else if (exited) this.#workers.delete(Number(exited))
    else if (text === 'gracefully shutting down') this.#workers.delete(pid)
  }

  /** A port in use is tried five times; only the last complaint is final. */
  #readEmergency(text: string): void {
    if (!/^bind\(\) to .* failed \(98:/.test(text)) this.#complaint ??= `nginx: ${text}`
    this.#pass('warn', text)
  }

  #readError(level: string, text: string): void {
    const upstream = /, upstream: "(?:https?:\/\/)?([^/"]+)/.exec(text)?.[1]
    const isRefused = /^\*\d+ connect\(\) failed/.test(text)
    if (isRefused && upstream) this.#parts.onRefused(upstream, text.split(' while ')[0] ?? text)
    else if (level !== 'info') this.#pass('warn', text)
  }

  /** Each request may make nginx write a line; ours is not flooded by them. */
  #pass(level: 'info' | 'warn', text: string): void {
    const second = Math.floor(this.#parts.clock.monotonic() / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#linesThisSecond = 0
    }
    if (this.#linesThisSecond++ < linesPerSecond) this.#parts.log[level]({ engine: 'nginx' }, text)
  }
}
