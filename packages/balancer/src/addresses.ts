import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type Cancel, type Clock, describeError, type Log } from '@drover/kernel'
import { nameOf } from './check-service.ts'
import type { AddressModel, ServiceModel } from './model.ts'
import type { Joining } from './pool.ts'

/** Returns the IP addresses of a host name; rejects when there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>

/** What the keeper of addresses needs, and whom it tells. */
export interface AddressesParts {
  readonly clock: Clock
  readonly log: Log
  readonly resolve: Resolve
  /** The replicas at fixed addresses of `service` are now these. */
  onAddresses(service: string, replicas: readonly Joining[]): void
}

/** Names are asked for again after this long: an answer that changed is seen within it. */
const againMs = 30_000

/**
 * Keeps the fixed addresses of services: an IP address is one replica, a name is one for each
 * address that it resolves to. A name that no longer resolves keeps what it had.
 */
export class Addresses {
  readonly #parts: AddressesParts
  readonly #resolved = new Map<string, readonly string[]>()
  #services: readonly ServiceModel[] = []
  #cancel: Cancel | undefined
  /** The last round of questions; an earlier one that ends late says nothing. */
  #round = 0
  #stopped = false

  constructor(parts: AddressesParts) {
    this.#parts = parts
  }

  /** Keeps the addresses of `services` from now on; tells at once what is known already. */
  follow(services: readonly ServiceModel[]): void {
    this.#services = services
    this.#tell()
    void this.#resolveAll()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  /** Asks for every name, tells the result, and comes again later. */
  async #resolveAll(): Promise<void> {
    this.#cancel?.()
    const round = ++this.#round
    const hosts = new Set(
      this.#services.flatMap(({ addresses }) =>
        addresses.map(({ host }) => host).filter((host) => isIP(host) === 0),
      ),
    )
    await Promise.all([...hosts].map((host) => this.#resolveOne(host)))
    if (this.#stopped || hosts.size === 0 || round !== this.#round) return
    this.#tell()
    this.#cancel = this.#parts.clock.after(againMs, () => void this.#resolveAll())
  }

  async #resolveOne(host: string): Promise<void> {
    try {
      this.#resolved.set(host, await this.#parts.resolve(host))
    } catch (error) {
      this.#parts.log.warn({ host, cause: describeError(error) }, 'a host name does not resolve')
    }
  }

  #tell(): void {
    if (this.#stopped) return
    for (const { name, addresses } of this.#services)
      this.#parts.onAddresses(
        name,
        addresses.flatMap((address) => this.#replicasAt(name, address)),
      )
  }

  #replicasAt(service: string, address: AddressModel): Joining[] {
    const { host, port, weight } = address
    const name = nameOf(address)
    if (isIP(host) !== 0)
      return [{ id: `${service}/${name}`, name, host, port, weight, supervised: false }]
    return (this.#resolved.get(host) ?? []).map((ip) => {
      const named = `${name}@${ip}`
      return { id: `${service}/${named}`, name: named, host: ip, port, weight, supervised: false }
    })
  }
}

/**
 * Resolves by the system's own ways. Only the first address's family is taken: a name such as
 * `localhost` has one server, not one for IPv4 and one for IPv6.
 */
export const systemResolve: Resolve = async (host) => {
  const found = await lookup(host, { all: true })
  return found
    .filter(({ family }) => family === found[0]?.family)
    .map(({ address }) => address)
    .sort()
}
