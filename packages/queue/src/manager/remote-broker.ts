import type { Cancel, Clock, Log } from '@drover/kernel'
import { describeError, Fault } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { Link } from '../wire/link.ts'
import { createTcpLink } from '../wire/tcp-link.ts'
import type { HostedBroker } from './broker-host.ts'

/** Between two questions whether it is there; and how long an answer may take. */
const askMs = 1_000
const patienceMs = 3_000

/** What a broker on another host is watched with. */
export interface RemoteBrokerOptions {
  readonly name: string
  /** HOST:PORT of its binary protocol. */
  readonly address: string
  readonly clock: Clock
  readonly log: Log
  /** Default: a TCP connection. */
  readonly connect?: (address: string) => Link
}

/**
 * A broker that somebody else runs, as `drover queue broker` on another host. It is up while it
 * answers by its own name; a connection that no answer came over is given up, so that a host that was
 * cut off without a word is found again when it is back.
 */
export class RemoteBroker implements HostedBroker {
  readonly name: string
  readonly address: string
  readonly pid = undefined
  readonly #options: RemoteBrokerOptions
  #link: Link
  #unwatch: Cancel = () => {}
  #isUp = false
  #isAsking = false

  constructor(options: RemoteBrokerOptions) {
    this.name = options.name
    this.address = options.address
    this.#options = options
    this.#link = this.#connect()
  }

  get state(): 'up' | 'down' {
    return this.#isUp ? 'up' : 'down'
  }

  get link(): Link {
    if (this.#isUp) return this.#link
    throw fault('BROKER_UNREACHABLE', `broker ${this.name} at ${this.address} does not answer`)
  }

  /** Resolves when it is known whether the broker is there. Throws NAME_INVALID for another one. */
  async start(): Promise<void> {
    await this.#ask()
    this.#unwatch = this.#options.clock.every(askMs, () => {
      this.#ask().catch((error) => {
        this.#options.log.error({ cause: describeError(error) }, 'a broker is not who it should be')
      })
    })
  }

  /** Lets it go; it runs on. */
  async stop(): Promise<void> {
    this.#unwatch()
    this.#isUp = false
    await this.#link.close()
  }

  #connect(): Link {
    const { address, clock, connect = (to) => createTcpLink(to, clock) } = this.#options
    return connect(address)
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      const name = await this.#askName()
      if (name !== undefined && name !== this.name)
        throw fault('NAME_INVALID', `${this.address} is broker "${name}", not "${this.name}"`)
      this.#note(name !== undefined)
    } catch (error) {
      this.#note(false)
      throw error
    } finally {
      this.#isAsking = false
    }
  }

  /** Its name; undefined when it does not answer. */
  async #askName(): Promise<string | undefined> {
    const late = new AbortController()
    const cancel = this.#options.clock.after(patienceMs, () => late.abort())
    try {
      const { result } = await this.#link.call('status', {}, [], { signal: late.signal })
      return String((result as { name?: unknown }).name)
    } catch (error) {
      if (!late.signal.aborted && !(error instanceof Fault)) throw error
      const silent = this.#link
      this.#link = this.#connect()
      await silent.close()
      return undefined
    } finally {
      cancel()
    }
  }

  #note(isUp: boolean): void {
    if (isUp === this.#isUp) return
    this.#isUp = isUp
    const { log, name, address } = this.#options
    if (isUp) log.info({ broker: name, address }, 'a broker answers')
    else log.error({ broker: name, address }, 'a broker does not answer any more')
  }
}
