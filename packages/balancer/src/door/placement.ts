import type { RequestHead } from './parsing/request-head.ts'
import type { Replica } from './replica.ts'
import type { Service } from './service.ts'
import type { UpstreamFailure } from './upstream-connection.ts'

const untried: readonly Replica[] = []

/**
 * Where one request goes: its service, the replica that has it now, and those that failed it
 * before. A replica counts it as under way from `take` to `leave`.
 */
export class Placement {
  service: Service | undefined
  replica: Replica | undefined
  /** The client as limits and hashed policies know it. */
  client = ''
  attempts = 0
  #tried = untried
  #key: string | number = ''
  #preferred: string | undefined

  /** Takes up a request for `service`. False when the client sends more than it may. */
  begin(service: Service, head: RequestHead, client: string): boolean {
    this.service = service
    this.client = client
    service.budget.request()
    if (!service.admits(client)) return false
    this.#key = service.keyOf(head, client)
    this.#preferred = service.stickyReplica(head)
    return true
  }

  /** The replica that the policy chooses next; undefined when none has room. */
  next(): Replica | undefined {
    return this.service?.pick(this.#key, this.#tried, this.#preferred)
  }

  take(replica: Replica): void {
    this.replica = replica
    this.attempts++
    this.service?.begin(replica)
  }

  leave(): void {
    const replica = this.replica
    this.replica = undefined
    if (replica) this.service?.end(replica)
  }

  /** Gives up the replica, which failed. A stale connection is no fault of its own. */
  fail(failure: UpstreamFailure, reason: string): void {
    const replica = this.replica
    if (!replica) return
    if (failure !== 'stale') {
      this.service?.failed(replica, reason, failure === 'connect')
      this.#tried = [...this.#tried, replica]
    }
    replica.count(0, 0, 0, 0)
    this.leave()
  }

  /** Replicas that have answered others since are worth another try. */
  forgive(): void {
    if (this.#tried.length > 0)
      this.#tried = this.#tried.filter((replica) => replica.failing && !replica.gone)
  }

  /** The replica that failed this request last. */
  get lastFailed(): Replica | undefined {
    return this.#tried.at(-1)
  }

  /** Until when it may wait for a replica; undefined when waiting is hopeless. */
  waitUntilMs(): number | undefined {
    return this.service?.waitUntilMs(this.#tried)
  }

  /** The Set-Cookie line of a sticky service, where the client comes without the right cookie. */
  cookieLine(secure: boolean): string {
    const { service, replica } = this
    return service && replica ? service.stickyLine(replica, this.#preferred, secure) : ''
  }

  reset(): void {
    this.service = undefined
    this.client = ''
    this.attempts = 0
    this.#tried = untried
    this.#preferred = undefined
  }
}
