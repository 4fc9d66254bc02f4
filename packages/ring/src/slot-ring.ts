import { type Probing, type SlotHashes, type SlotRingOptions, slotRingDefaults } from './options.ts'
import { type NodeShare, sharesOf } from './shares.ts'
import { classroomHashes } from './slot-hashes.ts'

const free = -1

/** A server could not get its slots; the ring is as it was before. */
export class SlotRingFull extends Error {
  override readonly name = 'SlotRingFull'
  readonly server: number

  constructor(server: number, replica: number, taken: number, slots: number) {
    super(
      `no slot for virtual server ${replica} of server ${server}: ` +
        `${taken} of ${slots} slots are taken and probing found no free one`,
    )
    this.server = server
  }
}

/**
 * The ring of the customizable load balancer: an array of M slots of which each server takes K. A
 * request begins at slot H(request) and goes clockwise, its own slot included, to the first that a
 * server has taken. Where a server's slot is taken already, probing finds it another.
 *
 *   slots  …│ 80 │ 81 │ 82 │ 83 │…     H(132574) = 81 is free, so the request goes on
 *           │    │    │  3 │    │      to slot 82, which server 3 has taken
 *
 * Servers are told by number (`numberServers` gives numbers to names). Which slots a server gets
 * depends on those that came before it, so add the servers in the same order everywhere.
 */
export class SlotRing {
  readonly #slots: Int32Array
  readonly #servers = new Map<number, readonly number[]>()
  readonly #virtualServers: number
  readonly #hashes: SlotHashes
  readonly #probing: Probing
  #taken = 0

  /** Throws RangeError unless there are 1 to 2^24 slots and 1 to `slots` virtual servers. */
  constructor(options: SlotRingOptions = {}) {
    const { slots = slotRingDefaults.slots, probing = slotRingDefaults.probing } = options
    if (!Number.isInteger(slots) || slots < 1 || slots > 0x100_0000)
      throw new RangeError(`slots is ${slots}; it must be a whole number from 1 to 2^24`)
    const { virtualServers = Math.max(1, Math.floor(Math.log2(slots))) } = options
    if (!Number.isInteger(virtualServers) || virtualServers < 1 || virtualServers > slots)
      throw new RangeError(`virtualServers is ${virtualServers}; it must be from 1 to ${slots}`)
    this.#slots = new Int32Array(slots).fill(free)
    this.#virtualServers = virtualServers
    this.#hashes = options.hashes ?? classroomHashes
    this.#probing = probing
  }

  /** The servers' numbers, in the order in which they were added. */
  get servers(): number[] {
    return [...this.#servers.keys()]
  }

  /**
   * Gives `server` its slots. Throws SlotRingFull (and changes nothing) when probing finds no free
   * slot, RangeError when the number is taken or not a whole number from 0 to 2^31 - 1.
   */
  add(server: number): void {
    if (!Number.isInteger(server) || server < 0 || server > 0x7fff_ffff)
      throw new RangeError(`server is ${server}; it must be a whole number from 0 to 2^31 - 1`)
    if (this.#servers.has(server)) throw new RangeError(`server ${server} is on the ring already`)
    const own: number[] = []
    for (let replica = 0; replica < this.#virtualServers; replica++) {
      const slot = this.#freeSlot(server, replica)
      if (slot === undefined) {
        for (const given of own) this.#slots[given] = free
        throw new SlotRingFull(server, replica, this.#taken, this.#slots.length)
      }
      this.#slots[slot] = server
      own.push(slot)
    }
    this.#servers.set(server, own)
    this.#taken += own.length
  }

  /** Frees the slots of `server`; returns false when it is not on the ring. */
  remove(server: number): boolean {
    const own = this.#servers.get(server)
    if (own === undefined) return false
    for (const slot of own) this.#slots[slot] = free
    this.#servers.delete(server)
    this.#taken -= own.length
    return true
  }

  /** Returns the slots of `server` in the order of its virtual servers; empty when it has none. */
  slotsOf(server: number): readonly number[] {
    return this.#servers.get(server) ?? []
  }

  /** Returns the number of the request's server, or -1 when there are no servers. Allocates nothing. */
  locate(request: number): number {
    return this.find(request, acceptsAll)
  }

  /**
   * Returns the first server clockwise that `accepts`, or -1 when none does. A server may be asked
   * once for each of its slots. Takes at most one step for each slot, and allocates nothing.
   */
  find(request: number, accepts: (server: number) => boolean): number {
    const slots = this.#slots
    let slot = inRange(this.#hashes.requestSlot(request, slots.length), slots.length)
    for (let steps = 0; steps < slots.length; steps++) {
      const server = slots[slot] ?? free
      if (server !== free && accepts(server)) return server
      slot = slot + 1 === slots.length ? 0 : slot + 1
    }
    return -1
  }

  /**
   * Returns each server's stretches of slots, for drawing the ring; `node` is the server's number.
   * Requests spread like this only if H reaches all slots alike: see `requestShares`.
   */
  shares(): NodeShare[] {
    const taken = [...this.#slots.keys()].filter((slot) => this.#slots[slot] !== free)
    const { servers } = this
    const owner = taken.map((slot) => servers.indexOf(this.#slots[slot] ?? free))
    return sharesOf(servers.length, taken, owner, this.#slots.length).map((share) => ({
      ...share,
      node: servers[share.node] ?? free,
    }))
  }

  /**
   * Returns the part of the requests numbered `least` to `most` that each server gets, by the
   * server's number. Takes a lookup for each; the default is all 6-digit numbers, about 20 ms.
   */
  requestShares(least = 100_000, most = 999_999): Map<number, number> {
    const counts = new Map(this.servers.map((server) => [server, 0]))
    for (let request = least; request <= most; request++) {
      const server = this.locate(request)
      counts.set(server, (counts.get(server) ?? 0) + 1)
    }
    for (const [server, count] of counts) counts.set(server, count / (most - least + 1))
    return counts
  }

  /** The slot that Φ names, or the first free one of the probing after it. */
  #freeSlot(server: number, replica: number): number | undefined {
    const { length } = this.#slots
    const wanted = inRange(this.#hashes.serverSlot(server, replica, length), length)
    for (let step = 0; step < length; step++) {
      const slot = (wanted + (this.#probing === 'linear' ? step : step * step)) % length
      if (this.#slots[slot] === free) return slot
    }
    return undefined
  }
}

const acceptsAll = (): boolean => true

/** Hash functions from outside may answer anything; a slot is a whole number in [0, slots). */
function inRange(hash: number, slots: number): number {
  if (!Number.isFinite(hash)) throw new RangeError(`a slot hash answered ${hash}`)
  return ((Math.floor(hash) % slots) + slots) % slots
}
