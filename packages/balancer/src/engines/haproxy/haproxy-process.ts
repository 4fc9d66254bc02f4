import type { Clock, Log, Random } from '@drover/kernel'
import { fault } from '../../errors.ts'
import { GuardedProcess } from '../guarded-process.ts'
import { Respawn } from '../respawn.ts'
import { command } from './admin-socket.ts'

/** What a running HAProxy is made of, and whom it tells. */
export interface HaproxyProcessParts {
  readonly file: string
  readonly folder: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** A line of the access log. */
  onAccess(line: string): void
  onTrouble(reason: string): void
}

const settleMs = 10_000
const pollMs = 5

/**
 * HAProxy as a child: a master process that runs a worker and hands it the listening sockets. It is
 * started again when it dies. A reload is through when the worker that answers on the admin socket
 * is the one of the new configuration; by then it has told the old one to take no connection.
 */
export class HaproxyProcess {
  readonly #parts: HaproxyProcessParts
  readonly #respawn: Respawn
  #process: GuardedProcess | undefined
  /** The configuration that should answer. */
  #generation = 0
  #lastAlert: string | undefined
  #ended = false

  constructor(parts: HaproxyProcessParts) {
    this.#parts = parts
    const start = () => this.start(this.#generation)
    this.#respawn = new Respawn(parts.clock, parts.random, start)
  }

  /** Starts HAProxy; resolves when it answers by the configuration `generation`. */
  async start(generation: number): Promise<void> {
    this.#generation = generation
    this.#ended = false
    this.#lastAlert = undefined
    const { file, folder, clock } = this.#parts
    const master = `${folder}/master.sock,mode,600`
    const words = [file, '-W', '-db', '-S', master, '-f', `${folder}/haproxy.cfg`]
    const listener = {
      onLine: (line: string) => this.#read(line),
      onExit: (how: string) => this.#restart(how),
    }
    this.#process = await GuardedProcess.start(words, listener, clock)
    await this.#untilAnswers()
  }

  /** Has HAProxy read its configuration again; resolves when `generation` answers. */
  async reload(generation: number): Promise<void> {
    const before = this.#generation
    this.#generation = generation
    this.#lastAlert = undefined
    this.#process?.signal('SIGUSR2')
    try {
      await this.#untilAnswers()
    } catch (error) {
      this.#generation = before
      throw error
    }
  }

  /** Sends a command to the admin socket of the worker. */
  command(text: string): Promise<string> {
    return command(`${this.#parts.folder}/admin.sock`, text, this.#parts.clock)
  }

  /** Lets requests end within `graceMs`, then ends HAProxy. */
  async stop(graceMs: number): Promise<void> {
    this.#respawn.end()
    await this.#process?.end('SIGUSR1', graceMs, this.#parts.clock)
  }

  async #untilAnswers(): Promise<void> {
    const { clock } = this.#parts
    const untilMs = clock.monotonic() + settleMs
    while (!(await this.#answers())) {
      if (this.#ended || this.#lastAlert !== undefined)
        throw fault('ENGINE_FAILED', `haproxy: ${this.#lastAlert ?? 'it ended'}`)
      if (clock.monotonic() > untilMs)
        throw fault('ENGINE_FAILED', `haproxy does not answer after ${settleMs} ms`)
      await clock.sleep(pollMs)
    }
    this.#respawn.settled()
  }

  /** Both must answer: a master that is still on its way loses signals. */
  async #answers(): Promise<boolean> {
    const { folder, clock } = this.#parts
    try {
      const text = await this.command('show info')
      const isNew = text.includes(`\ndescription: drover-${this.#generation}\n`)
      return isNew && (await command(`${folder}/master.sock`, 'show proc', clock)) !== ''
    } catch {
      // Nobody listens yet.
      return false
    }
  }

  #restart(how: string): void {
    this.#ended = true
    if (this.#respawn.ended) return
    this.#parts.onTrouble(`haproxy ended (${how}); it is started again`)
    this.#respawn.again()
  }

  /** Clients cannot make HAProxy write lines of its own: what it says is about itself. */
  #read(line: string): void {
    if (line.startsWith('{"time":')) {
      this.#parts.onAccess(line)
      return
    }
    const alert = /^\[ALERT\]\s+\(\d+\) : (.*)$/.exec(line)?.[1]
    if (alert !== undefined) this.#lastAlert ??= alert
    if (alert !== undefined || line.startsWith('[WARNING]'))
      this.#parts.log.warn({ engine: 'haproxy' }, line)
    else this.#parts.log.debug({ engine: 'haproxy' }, line)
  }
}
