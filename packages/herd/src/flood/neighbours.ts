import type { Address, Cancel, Clock, Random } from '@drover/kernel'
import type { Identity } from './handshake.ts'
import type { Link } from './link.ts'
import type { Membership } from './membership.ts'
import { Neighbour } from './neighbour.ts'
import type { Timings } from './timings.ts'

/** What the neighbours of a server need of it. */
export interface NeighboursOptions {
  readonly name: string
  /** Servers that are always dialled. */
  readonly fixed: readonly { readonly name: string; readonly address: Address }[]
  /** Joins a herd by any of its servers, and chooses neighbours itself. */
  readonly join: { readonly seeds: readonly Address[]; readonly degree: number } | undefined
  readonly membership: Membership
  readonly clock: Clock
  readonly timings: Timings
  readonly random: Random
  /** Whether a later link begins with anti-entropy; if not, it takes on what the last one left. */
  readonly sync: boolean
  /** Makes one attempt; calls `failed` when no link comes of it. */
  dial(neighbour: Neighbour, failed: (reason: string) => void): Cancel
  /** The link to a server, if there is one. */
  linkTo(name: string): Link | undefined
  /** All records lie in slots below this. */
  slotsEnd(): number
  /** Tells whether there is no link at all. */
  isAlone(): boolean
  onUnreachable(peer: string, reason: string, attempt: number): void
}

/** How it stands with one neighbour. */
export interface NeighbourView {
  readonly name: string
  readonly link: Link | undefined
  /** It was cut by `cut` and stays so. */
  readonly isCut: boolean
  /** Wall time in ms at which its link came up or went down; undefined when it was never linked. */
  readonly sinceMs: number | undefined
  /** Attempts since the last link. */
  readonly attempts: number
  /** Why there is no link. */
  readonly reason: string | undefined
}

/**
 * The servers that this one wants to be linked with: it dials them, again after every loss, and
 * chooses them itself when it has joined by seeds.
 */
export class Neighbours {
  readonly #options: NeighboursOptions
  readonly #byName = new Map<string, Neighbour>()
  readonly #seeds: Neighbour[]
  readonly #cut = new Set<string>()
  #isRunning = false
  #startedAtMs = 0

  constructor(options: NeighboursOptions) {
    this.#options = options
    for (const { name, address } of options.fixed) this.#add(name, address)
    this.#seeds = (options.join?.seeds ?? []).map((address) => this.#create(undefined, address))
  }

  start(): void {
    this.#isRunning = true
    this.#startedAtMs = this.#options.clock.monotonic()
    for (const neighbour of this.#all()) neighbour.reach()
  }

  stop(): void {
    this.#isRunning = false
    for (const neighbour of this.#all()) neighbour.drop()
  }

  /** A link is up: tells the entry, and gives the link what went by while there was none. */
  attach(link: Link): void {
    const neighbour = this.#byName.get(link.peer.name)
    if (neighbour) this.#pass(neighbour, link)
    neighbour?.linked(link)
    for (const seed of this.#seeds) {
      const { host, port } = link.peer.address
      if (seed.address.host === host && seed.address.port === port) seed.linked(link)
    }
  }

  /** A link has ended: it is made again, unless it was cut. */
  detach(link: Link, reason: string): void {
    const { clock, timings, random, sync } = this.#options
    const { name, epoch } = link.peer
    for (const neighbour of this.#all()) {
      if (neighbour.link !== link) continue
      neighbour.lost(reason, clock.now())
      if (!sync) neighbour.left = { epoch, slots: link.unacknowledged() }
      if (this.#isRunning && !this.#cut.has(name)) neighbour.reachLater(clock, timings, random)
    }
  }

  /** Chooses the neighbours of a server that has joined by seeds. */
  retarget(): void {
    const { join, name, membership, linkTo, isAlone } = this.#options
    if (!join || !this.#isRunning) return
    const isReachable = (peer: string) => (this.#byName.get(peer)?.attempts ?? 0) < 3
    for (const member of membership.targets(name, join.degree, isReachable)) {
      if (linkTo(member.name) || this.#byName.has(member.name) || this.#cut.has(member.name))
        continue
      this.#add(member.name, { host: member.host, port: member.port }).reach()
    }
    for (const [peer, neighbour] of this.#byName) {
      const member = membership.find(peer)
      const hasMoved = member && member.port !== neighbour.address.port
      if (neighbour.link || !(member?.hasLeft || hasMoved)) continue
      neighbour.drop()
      this.#byName.delete(peer)
    }
    if (isAlone()) for (const seed of this.#seeds) seed.reach()
  }

  isCut(name: string): boolean {
    return this.#cut.has(name)
  }

  /** Cuts the link to a server, or makes it again at once. */
  cut(name: string, isCut: boolean): void {
    const { linkTo } = this.#options
    const neighbour = this.#byName.get(name)
    if (!isCut) {
      this.#cut.delete(name)
      if (this.#isRunning) neighbour?.reach()
      return
    }
    this.#cut.add(name)
    neighbour?.drop()
    linkTo(name)?.end('the link was cut here')
  }

  /** How it stands with every server that this one is linked with, or wants to be. */
  views(linked: Iterable<Identity>): NeighbourView[] {
    const names = new Set([...this.#byName.keys(), ...this.#cut])
    for (const { name } of linked) names.add(name)
    return [...names].sort().map((name) => {
      const neighbour = this.#byName.get(name)
      const link = this.#options.linkTo(name)
      const isCut = this.#cut.has(name)
      return {
        name,
        link,
        isCut,
        sinceMs: link ? link.sinceMs : neighbour?.lostAtMs,
        attempts: neighbour?.attempts ?? 0,
        reason: link ? undefined : (neighbour?.reason ?? (isCut ? 'it was cut here' : undefined)),
      }
    })
  }

  /** Without sync: what the last link to that life left over, or what was said since the start. */
  #pass(neighbour: Neighbour, link: Link): void {
    const { sync, clock, timings, slotsEnd } = this.#options
    const { left } = neighbour
    neighbour.left = undefined
    if (left?.epoch === link.peer.epoch) for (const slot of left.slots) link.enqueue(slot)
    const isLate = clock.monotonic() - this.#startedAtMs > timings.togetherMs
    if (sync || neighbour.hasBeenLinked || isLate) return
    for (let slot = 0; slot < slotsEnd(); slot++) link.enqueue(slot)
  }

  #all(): Neighbour[] {
    return [...this.#byName.values(), ...this.#seeds]
  }

  #add(name: string, address: Address): Neighbour {
    const neighbour = this.#create(name, address)
    this.#byName.set(name, neighbour)
    return neighbour
  }

  #create(name: string | undefined, address: Address): Neighbour {
    return new Neighbour(name, address, (target) => this.#dial(target))
  }

  #dial(neighbour: Neighbour): Cancel {
    const { clock, timings, random, dial, onUnreachable } = this.#options
    return dial(neighbour, (reason) => {
      const { name, address, link, attempts } = neighbour
      if (link || !this.#isRunning || (name !== undefined && this.#cut.has(name))) return
      neighbour.reason = reason
      onUnreachable(name ?? `${address.host}:${address.port}`, reason, attempts)
      neighbour.reachLater(clock, timings, random)
    })
  }
}
