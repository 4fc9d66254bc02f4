import { type ChildProcess, fork } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  backoffMs,
  type Clock,
  describeError,
  type Log,
  type Random,
  withDeadline,
} from '@drover/kernel'
import type { BrokerOrder } from '../broker/main.ts'
import { fault } from '../errors.ts'
import type { LogOptions, QueueLimits } from '../options.ts'
import type { Link } from '../wire/link.ts'
import { createTcpLink } from '../wire/tcp-link.ts'
import type { BrokerHost, HostedBroker } from './broker-host.ts'

export interface ProcessHostOptions {
  readonly folder: string
  /** Where the brokers listen; each takes a free port. */
  readonly host: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly limits: QueueLimits
  readonly logOptions: LogOptions
}

const startMs = 30_000
const stopMs = 10_000
const restart = { firstMs: 100, mostMs: 10_000 }
/** A broker that lived for so long is not dying again and again. */
const soundMs = 2_000
const program = fileURLToPath(new URL('../broker/main.js', import.meta.url))

/** Runs each broker as a process of its own, and starts it again when it dies. */
export class ProcessHost implements BrokerHost {
  readonly #options: ProcessHostOptions

  constructor(options: ProcessHostOptions) {
    this.#options = options
  }

  create(name: string): HostedBroker {
    return new BrokerProcess(name, join(this.#options.folder, name), this.#options)
  }

  async forget(name: string): Promise<void> {
    await rm(join(this.#options.folder, name), { recursive: true, force: true })
  }
}

/**
 *   down ──start──▶ starting ──said its address──▶ up ──died──▶ down (and started again)
 */
class BrokerProcess implements HostedBroker {
  readonly name: string
  readonly #folder: string
  readonly #options: ProcessHostOptions
  #child: ChildProcess | undefined
  #link: Link | undefined
  #stopping = false
  #deaths = 0
  address = ''
  state: 'starting' | 'up' | 'down' = 'down'

  constructor(name: string, folder: string, options: ProcessHostOptions) {
    this.name = name
    this.#folder = folder
    this.#options = options
  }

  get pid(): number | undefined {
    return this.state === 'down' ? undefined : this.#child?.pid
  }

  get link(): Link {
    if (!this.#link || this.state !== 'up')
      throw fault('BROKER_UNREACHABLE', `broker ${this.name} is down`)
    return this.#link
  }

  async start(): Promise<void> {
    if (this.state !== 'down') return
    this.state = 'starting'
    const { name } = this
    const { clock } = this.#options
    try {
      await mkdir(this.#folder, { recursive: true })
      if (this.#stopping) throw fault('BROKER_STOPPED', `broker ${name} is stopping`)
      const child = this.#fork()
      this.address = await withDeadline(`broker ${name}`, startMs, clock, addressOf(child, name))
      this.#link = createTcpLink(this.address, clock)
      this.state = 'up'
    } catch (error) {
      this.#child?.kill('SIGKILL')
      this.state = 'down'
      throw error
    }
  }

  #fork(): ChildProcess {
    const { host, limits, logOptions } = this.#options
    const child = fork(program, [], { serialization: 'json', execArgv: [] })
    this.#child = child
    // An order that comes too late for a dying process is an error event each time.
    child.on('error', () => {})
    child.once('exit', (code, signal) => this.#gone(child, `${signal ?? code}`))
    const order: BrokerOrder = {
      ...{ name: this.name, limits, logOptions },
      folder: this.#folder,
      listen: { host, port: 0 },
    }
    child.send(order)
    return child
  }

  #gone(child: ChildProcess, how: string): void {
    // One that never came up is `start`'s to answer for; an earlier one may end late.
    if (this.#child !== child || this.state !== 'up') return
    this.state = 'down'
    void this.#link?.close()
    if (this.#stopping) return
    this.#options.log.error({ broker: this.name, how }, 'a broker died; it is started again')
    void this.#startAgain()
  }

  async #startAgain(): Promise<void> {
    const { clock, random, log } = this.#options
    while (!this.#stopping) {
      await clock.sleep(backoffMs(this.#deaths++, restart, random))
      if (this.#stopping) return
      try {
        await this.start()
        const child = this.#child
        clock.after(soundMs, () => {
          if (this.#child === child && this.state === 'up') this.#deaths = 0
        })
        return
      } catch (error) {
        if (this.#stopping) return
        log.error({ broker: this.name, cause: describeError(error) }, 'a broker does not start')
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    // One that is still starting would not listen yet; nothing is lost by killing it.
    if (this.state === 'up' && child.connected) child.send('stop')
    else child.kill('SIGKILL')
    const cancel = this.#options.clock.after(stopMs, () => child.kill('SIGKILL'))
    await exited
    cancel()
    await this.#link?.close()
  }
}

/** The address that the child says, or the error that it says instead. */
function addressOf(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (cause: string) =>
      reject(fault('BROKER_UNREACHABLE', `broker ${name} did not start: ${cause}`))
    child.once('message', (message) => {
      const { address, error } = message as { address?: string; error?: string }
      if (address === undefined) failed(error ?? 'it said nothing')
      else resolve(address)
    })
    child.once('exit', (code, signal) => failed(`it ended with ${signal ?? code}`))
    child.once('error', (error) => failed(error.message))
  })
}
