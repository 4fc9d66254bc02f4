import type { Address, Cancel, Clock, Random, Service } from '@drover/kernel'
import type { HerdState } from '../state/herd-state.ts'
import type { Origin } from '../state/origins.ts'
import type { HerdRecord } from '../state/record.ts'
import { Fifo } from './fifo.ts'
import { Greeter } from './greeter.ts'
import type { Identity } from './handshake.ts'
import { Link, type LinkOwner } from './link.ts'
import { Membership } from './membership.ts'
import { digestOf, type Known, type Member } from './messages.ts'
import type { Neighbour } from './neighbour.ts'
import { Neighbours, type NeighbourView } from './neighbours.ts'
import { Ticket } from './ticket.ts'
import type { Timings } from './timings.ts'
import type { Channel, Transport } from './transport.ts'

/** What happens between a server and its neighbours. */
export type NodeEvent =
  | { readonly kind: 'linked'; readonly peer: string; readonly isDialled: boolean }
  | { readonly kind: 'unlinked'; readonly peer: string; readonly reason: string }
  /** Somebody came to the port of peers and did not prove that it is one. */
  | { readonly kind: 'stranger'; readonly remote: string; readonly reason: string }
  | {
      readonly kind: 'unreachable'
      readonly peer: string
      readonly reason: string
      readonly attempt: number
    }
  /** It did not acknowledge in time: answers no longer wait for it until it has caught up. */
  | { readonly kind: 'slow'; readonly peer: string }
  /** A record of a neighbour found no room here. */
  | { readonly kind: 'full'; readonly peer: string }
  | { readonly kind: 'left'; readonly peer: string }
  /** The fault switch: a link was cut on purpose, or may come up again. */
  | { readonly kind: 'cut' | 'restored'; readonly peer: string }

/** What a node is made of. */
export interface NodeOptions {
  readonly name: string
  /** Where peers connect; port 0 asks the system for one. */
  readonly address: Address
  /** The address that others are told; default the one above. */
  readonly advertisedHost?: string
  /** The herd's shared key. */
  readonly key: Uint8Array
  /** Servers that are always dialled. */
  readonly neighbours: readonly { readonly name: string; readonly address: Address }[]
  /** Joins a herd by any of its servers, and chooses neighbours itself. */
  readonly join?: { readonly seeds: readonly Address[]; readonly degree: number }
  /** Whether servers tell each other what they missed. */
  readonly sync: boolean
  /** Whether servers tell each other of all others, so that some may join by seeds. */
  readonly gossip: boolean
  readonly outboxMax: number
  readonly timings: Timings
  readonly state: HerdState
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  /** Runs `action` when what the system has brought by now is handled. */
  readonly defer: (action: () => void) => void
  readonly onEvent: (event: NodeEvent) => void
  /** Told of each record that was news, whoever brought it. */
  readonly onNews?: (slot: number, from: string | undefined) => void
}

/**
 * One server of the herd: it keeps the records, and floods what is news to every neighbour but the
 * one that brought it. Loops in the graph end because old news is dropped.
 *
 *   publish ─▶ state.put ─▶ outbox of each link ─▶ neighbours ─▶ accept ─▶ their other links …
 *                                   └─▶ ticket: done when all have acknowledged
 */
export class HerdNode implements Service, LinkOwner {
  readonly state: HerdState
  readonly clock: Clock
  readonly timings: Timings
  readonly sync: boolean
  readonly outboxMax: number
  readonly membership = new Membership()
  readonly #options: NodeOptions
  readonly #origin: Origin
  readonly #epoch: number
  readonly #greeter: Greeter
  readonly #links = new Map<string, Link>()
  readonly #neighbours: Neighbours
  readonly #tickets = new Fifo<Ticket>()
  /** By slot: the link that brought its record; 0 for the own clients. */
  readonly #cameBy: Uint16Array
  #lastLinkIndex = 0
  #sequence = 0
  #turn: Ticket | undefined
  #isFlushDue = false
  #isRunning = false
  #stopTicks: Cancel = () => {}
  #stopListening: () => Promise<void> = async () => {}
  #port = 0

  constructor(options: NodeOptions) {
    this.#options = options
    this.state = options.state
    this.clock = options.clock
    this.timings = options.timings
    this.sync = options.sync
    this.outboxMax = options.outboxMax
    this.#epoch = options.clock.now()
    this.#origin = this.state.origins.enter(options.name, this.#epoch)
    this.#cameBy = new Uint16Array(this.state.limits.recordsMax)
    this.#greeter = new Greeter({
      key: options.key,
      clock: options.clock,
      handshakeMs: options.timings.handshakeMs,
      self: () => this.identity,
      refuse: ({ name }) => (this.#neighbours.isCut(name) ? 'the link was cut here' : undefined),
      adopt: (peer, channel, isDialled) => this.#adopt(peer, channel, isDialled),
    })
    this.#neighbours = new Neighbours({
      name: options.name,
      fixed: options.neighbours,
      join: options.join,
      membership: this.membership,
      clock: options.clock,
      timings: options.timings,
      random: options.random,
      sync: options.sync,
      dial: (neighbour, failed) => this.#dial(neighbour, failed),
      linkTo: (name) => this.#links.get(name),
      slotsEnd: () => this.state.slotsEnd,
      isAlone: () => this.#links.size === 0,
      onUnreachable: (peer, reason, attempt) =>
        options.onEvent({ kind: 'unreachable', peer, reason, attempt }),
    })
  }

  /** Who this server is to its peers. */
  get identity(): Identity {
    const { name, address, advertisedHost } = this.#options
    const host = advertisedHost ?? address.host
    return { name, epoch: this.#epoch, address: { host, port: this.#port } }
  }

  get links(): readonly Link[] {
    return [...this.#links.values()]
  }

  /** Opens the port of peers and dials every neighbour at once. */
  async start(): Promise<void> {
    if (this.#isRunning) return
    const { transport, address } = this.#options
    const listening = await transport.listen(address, (channel) =>
      this.#greeter.greet(channel, false, undefined, (reason) =>
        this.#options.onEvent({ kind: 'stranger', remote: channel.remote, reason }),
      ),
    )
    this.#isRunning = true
    this.#stopListening = listening.stop
    this.#port = listening.port
    this.membership.learn({ ...this.#asMember(this.identity), hasLeft: false })
    this.#stopTicks = this.clock.every(this.timings.pingMs, () => this.#tick())
    this.#neighbours.start()
  }

  /** Says good-bye to the neighbours and closes everything. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return
    this.#isRunning = false
    this.#stopTicks()
    this.#neighbours.stop()
    for (const link of this.links) {
      link.flush()
      link.sayLeave()
      link.end('this server stops')
    }
    this.#expireTickets(Number.POSITIVE_INFINITY)
    this.#greeter.close()
    await this.#stopListening()
  }

  /**
   * Stores what a client of this server said, if it is later than what is known, and floods it;
   * returns the slot, or one of `refused`. Fills in the record's origin and number; it is heard now,
   * at `heardMs`. Answers wait for `ticket()`.
   */
  publish(record: HerdRecord): number {
    record.origin = this.#origin
    record.sequence = this.#sequence + 1
    record.hops = 0
    const slot = this.state.putLater(record, record.heardMs)
    if (slot < 0) return slot
    this.#sequence++
    this.#origin.sequence = this.#sequence
    this.#cameBy[slot] = 0
    this.#spread(slot, undefined)
    return slot
  }

  /** Returns what stands for all that was published in this turn; undefined when nobody is linked. */
  ticket(): Ticket | undefined {
    if (this.#links.size === 0) return undefined
    if (!this.#turn) {
      this.#turn = new Ticket(this.clock.monotonic() + this.timings.ackMs)
      this.flushSoon()
    }
    return this.#turn
  }

  flushSoon(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    this.#options.defer(() => this.#flush())
  }

  accept(record: HerdRecord, link: Link): boolean {
    const slot = this.state.put(record, this.clock.now())
    if (slot === -2) this.#options.onEvent({ kind: 'full', peer: link.peer.name })
    if (slot < 0) return false
    this.#cameBy[slot] = link.index
    this.#spread(slot, link)
    return true
  }

  cameBy(slot: number): number {
    return this.#cameBy[slot] as number
  }

  complete(known: readonly Known[]): void {
    for (const { name, epoch, sequence } of known) {
      const origin = this.state.origins.enter(name, epoch)
      if (origin !== this.#origin && sequence > origin.sequence) origin.sequence = sequence
    }
    this.flushSoon()
  }

  members(members: readonly Member[], link: Link): void {
    const news = members.filter((member) => this.membership.learn(member))
    if (news.length > 0) this.#tellMembers(news, link)
    this.#neighbours.retarget()
  }

  left(link: Link): void {
    const member = { ...this.#asMember(link.peer), hasLeft: true }
    if (!this.membership.learn(member)) return
    this.#options.onEvent({ kind: 'left', peer: link.peer.name })
    this.#tellMembers([member], link)
    this.#neighbours.retarget()
  }

  ended(link: Link, reason: string): void {
    const { name } = link.peer
    if (this.#links.get(name) === link) this.#links.delete(name)
    this.#options.onEvent({ kind: 'unlinked', peer: name, reason })
    this.#neighbours.detach(link, reason)
  }

  /** How it stands with every neighbour, linked or not. */
  get neighbours(): NeighbourView[] {
    return this.#neighbours.views(this.links.map(({ peer }) => peer))
  }

  /** Cuts the link to a neighbour from this side until it is restored: a fault for demonstrations. */
  cut(peer: string, isCut: boolean): void {
    this.#options.onEvent({ kind: isCut ? 'cut' : 'restored', peer })
    this.#neighbours.cut(peer, isCut)
  }

  #spread(slot: number, from: Link | undefined): void {
    for (const link of this.#links.values()) if (link !== from) link.enqueue(slot)
    if (this.#links.size > 0) this.flushSoon()
    this.#options.onNews?.(slot, from?.peer.name)
  }

  #flush(): void {
    this.#isFlushDue = false
    const turn = this.#turn
    this.#turn = undefined
    for (const link of [...this.#links.values()]) {
      link.flush()
      if (turn && !link.isOver) link.await(turn)
    }
    if (!turn) return
    turn.seal()
    if (turn.isDone) return
    this.#tickets.push(turn)
    if (this.#tickets.length === 1) this.#watchTickets(turn)
  }

  #watchTickets(oldest: Ticket): void {
    const { clock } = this
    clock.after(Math.max(1, oldest.deadlineMs - clock.monotonic()), () => {
      this.#expireTickets(clock.monotonic())
      const next = this.#tickets.peek()
      if (next) this.#watchTickets(next)
    })
  }

  /** Lets the answers go whose deadline has passed, and marks the links that they waited for. */
  #expireTickets(nowMs: number): void {
    for (let ticket = this.#tickets.peek(); ticket; ticket = this.#tickets.peek()) {
      if (!ticket.isDone && ticket.deadlineMs > nowMs) return
      this.#tickets.shift()
      if (ticket.isDone) continue
      for (const link of this.links) {
        if (!link.waitsFor(ticket)) continue
        link.isSlow = true
        this.#options.onEvent({ kind: 'slow', peer: link.peer.name })
      }
      ticket.expire()
    }
  }

  #dial(neighbour: Neighbour, failed: (reason: string) => void): Cancel {
    return this.#options.transport.dial(
      neighbour.address,
      (channel) => this.#greeter.greet(channel, true, neighbour.name, failed),
      failed,
    )
  }

  /** A peer has proved itself. Returns the link, or why there is none. */
  #adopt(peer: Identity, channel: Channel, isDialled: boolean): Link | string {
    const standing = this.#links.get(peer.name)
    if (standing && isBetter(standing, peer, isDialled, this.#options.name))
      return 'there is a link already'
    standing?.end('a newer link takes its place')
    this.#lastLinkIndex = (this.#lastLinkIndex % 65_535) + 1
    // After 65,535 links the numbers begin anew: what came by the old ones is forgotten.
    if (this.#lastLinkIndex === 1) this.#cameBy.fill(0)
    const link = new Link(this, channel, { peer, isDialled, index: this.#lastLinkIndex })
    this.#links.set(peer.name, link)
    this.#neighbours.attach(link)
    this.#options.onEvent({ kind: 'linked', peer: peer.name, isDialled })
    if (this.sync) link.compare(digestOf(this.state.origins))
    const isNew = this.membership.learn(this.#asMember(peer))
    if (isNew) this.#tellMembers([this.#asMember(peer)], link)
    if (this.#options.gossip) link.tellMembers(this.membership.all())
    this.flushSoon()
    return link
  }

  #tick(): void {
    for (const link of this.links) link.tick()
    this.#neighbours.retarget()
  }

  #tellMembers(members: readonly Member[], except: Link): void {
    if (!this.#options.gossip) return
    for (const link of this.#links.values()) if (link !== except) link.tellMembers(members)
  }

  #asMember({ name, epoch, address }: Identity): Member {
    return { name, epoch, host: address.host, port: address.port, hasLeft: false }
  }
}

/**
 * Decides between a link that stands and a new one to the same server, the same way at both ends: a
 * later life wins; of two that cross each other the one whose dialler has the smaller name stays.
 */
function isBetter(standing: Link, peer: Identity, isDialled: boolean, self: string): boolean {
  if (peer.epoch !== standing.peer.epoch) return peer.epoch < standing.peer.epoch
  if (standing.isDialled === isDialled) return false
  const smaller = self < peer.name ? self : peer.name
  return (isDialled ? self : peer.name) !== smaller
}
