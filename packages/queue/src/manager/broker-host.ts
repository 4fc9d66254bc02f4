import type { Service } from '@drover/kernel'
import type { Link } from '../wire/link.ts'

/** One broker that was started: how to call it and how to end it. */
export interface HostedBroker extends Service {
  readonly name: string
  /** Where clients reach it now; changes when it had to be started again. */
  readonly address: string
  readonly state: 'starting' | 'up' | 'down'
  /** Its process; undefined within this one, and while it is down. */
  readonly pid: number | undefined
  /** Throws BROKER_UNREACHABLE while it is down. */
  readonly link: Link
}

/** Starts brokers: as processes, or within this one. */
export interface BrokerHost {
  create(name: string): HostedBroker
  /** Removes the data of a broker that has left. */
  forget(name: string): Promise<void>
}
