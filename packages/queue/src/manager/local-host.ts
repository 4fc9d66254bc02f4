import { Broker, type BrokerOptions } from '../broker/broker.ts'
import { createBrokerHandler } from '../broker/requests.ts'
import { fault } from '../errors.ts'
import { createLocalLink, type Link } from '../wire/link.ts'
import type { BrokerHost, HostedBroker } from './broker-host.ts'

/** What a broker within this process is made of; its disk depends on its name. */
export interface LocalHostOptions extends Omit<BrokerOptions, 'name' | 'disk'> {
  readonly diskOf: (name: string) => BrokerOptions['disk']
  /** Makes what the disk needs to be there. */
  readonly prepare?: (name: string) => Promise<void>
  readonly forget?: (name: string) => Promise<void>
}

/** Runs brokers within this process: for small queues, and for simulations that can crash them. */
export class LocalHost implements BrokerHost {
  readonly brokers = new Map<string, Broker>()
  readonly #options: LocalHostOptions

  constructor(options: LocalHostOptions) {
    this.#options = options
  }

  /** The link to the broker of that name, whichever instance of it runs now. */
  linkTo(name: string): Link {
    return createLocalLink(async (method, params, bytes, signal) => {
      const broker = this.brokers.get(name)
      if (!broker) throw fault('BROKER_UNREACHABLE', `broker ${name} is down`)
      return createBrokerHandler(broker)(method, params, bytes, signal)
    })
  }

  create(name: string): HostedBroker {
    const { brokers } = this
    return {
      name,
      address: '',
      pid: undefined,
      link: this.linkTo(name),
      get state() {
        return brokers.has(name) ? 'up' : 'down'
      },
      start: () => this.startBroker(name),
      stop: async () => {
        const broker = brokers.get(name)
        brokers.delete(name)
        await broker?.stop()
      },
    }
  }

  async startBroker(name: string): Promise<void> {
    if (this.brokers.has(name)) return
    await this.#options.prepare?.(name)
    const broker = new Broker({ ...this.#options, name, disk: this.#options.diskOf(name) })
    await broker.start()
    this.brokers.set(name, broker)
  }

  async forget(name: string): Promise<void> {
    await this.#options.forget?.(name)
  }
}
