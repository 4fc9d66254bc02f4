import type { Cancel, Clock } from '@drover/kernel'
import type { EngineEvent, Plan, ReplicaPlan } from '../plan.ts'
import { connectionsTo } from './connections.ts'

const lookEveryMs = 50
/** A connection may be on its way while we look; this many looks in a row must find none. */
const looksNeeded = 2

function countConnections({ host, port }: ReplicaPlan): Promise<number | undefined> {
  return connectionsTo(host, port)
}

/**
 * Sees when draining replicas have nothing under way, for engines that cannot tell: when no
 * connection leads to them any more. Where the system does not tell that, nothing is ever said,
 * and whoever waits has a deadline.
 */
export class DrainWatch {
  readonly #clock: Clock
  readonly #count: (replica: ReplicaPlan) => Promise<number | undefined>
  readonly #emit: (event: EngineEvent) => void
  #draining = new Map<string, { readonly replica: ReplicaPlan; looks: number }>()
  #told = new Set<string>()
  #cancel: Cancel | undefined

  constructor(
    clock: Clock,
    emit: (event: EngineEvent) => void,
    count: (replica: ReplicaPlan) => Promise<number | undefined> = countConnections,
  ) {
    this.#clock = clock
    this.#count = count
    this.#emit = emit
  }

  /** Watches the draining replicas of `plan`, which the engine has taken up. */
  follow(plan: Plan): void {
    const replicas = plan.services.flatMap((service) => service.replicas)
    const draining = replicas.filter((replica) => replica.draining)
    const ids = new Set(draining.map(({ id }) => id))
    this.#told = new Set([...this.#told].filter((id) => ids.has(id)))
    this.#draining = new Map(
      draining
        .filter(({ id }) => !this.#told.has(id))
        .map((replica) => [replica.id, { replica, looks: 0 }]),
    )
    this.#cancel?.()
    if (this.#draining.size > 0) this.#later()
  }

  stop(): void {
    this.#cancel?.()
    this.#draining.clear()
  }

  #later(): void {
    this.#cancel = this.#clock.after(lookEveryMs, () => void this.#look())
  }

  async #look(): Promise<void> {
    const watched = this.#draining
    for (const [id, entry] of watched) {
      const count = await this.#count(entry.replica)
      if (watched !== this.#draining) return
      entry.looks = count === 0 ? entry.looks + 1 : 0
      if (entry.looks < looksNeeded) continue
      watched.delete(id)
      this.#told.add(id)
      this.#emit({ kind: 'drained', replica: id })
    }
    if (watched.size > 0) this.#later()
  }
}
