/** The knobs of a `HashRing`. */
export interface HashRingOptions {
  /**
   * Virtual nodes of a node of weight 1, each of which is four points on the ring. Default 100. A
   * node's load strays from the mean by about 1/(2·√virtualNodes) of it, 5 % at 100; each virtual
   * node takes about 60 bytes and half a microsecond of making.
   */
  readonly virtualNodes?: number
}

/** The knobs of a `MaglevTable`. */
export interface MaglevOptions {
  /**
   * Slots of the table, a prime number of at least 100 times the nodes. Default 65,537. A larger
   * table spreads more evenly and moves fewer keys on a change; it takes 2 bytes and about 30 ns of
   * making per slot.
   */
  readonly tableSize?: number
}

/** How a virtual server looks for another slot when its own is taken. */
export type Probing = 'linear' | 'quadratic'

/** The knobs of a `SlotRing`; each default is that of the customizable load balancer. */
export interface SlotRingOptions {
  /** M, the slots of the ring. Default 512. */
  readonly slots?: number
  /** K, the slots that each server takes. Default ⌊log2 slots⌋, which is 9 of 512. */
  readonly virtualServers?: number
  /** H and Φ. Default `classroomHashes`. */
  readonly hashes?: SlotHashes
  /**
   * Default `linear`: the next slot, and the next. `quadratic` jumps by 1, 4, 9, … from the first,
   * which breaks up clusters but may miss slots that are free.
   */
  readonly probing?: Probing
}

/** A pair of hash functions for a `SlotRing`. Results are brought into range by the ring. */
export interface SlotHashes {
  readonly name: string
  /** H: the slot where the request numbered `request` begins to look for a server. */
  requestSlot(request: number, slots: number): number
  /** Φ: the slot that virtual server `replica` (0 …) of server `server` wants. */
  serverSlot(server: number, replica: number, slots: number): number
}

export const hashRingDefaults = { virtualNodes: 100 } as const
export const maglevDefaults = { tableSize: 65_537 } as const
export const slotRingDefaults = { slots: 512, probing: 'linear' } as const
