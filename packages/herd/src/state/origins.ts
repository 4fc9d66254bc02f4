/** One life of one server: what it heard itself is numbered 1, 2, 3 … within it. */
export interface Origin {
  readonly index: number
  /** The server's id. */
  readonly name: string
  /** Tells the lives of a server apart: the wall time of its start, in ms. */
  readonly epoch: number
  readonly nameBytes: Uint8Array
  /**
   * All of this origin's records up to this number are here, or newer ones in their place. It grows
   * only by the server's own records and by what a neighbour says after it has sent everything.
   */
  sequence: number
  /** Records held here that this origin heard. */
  records: number
}

/** The most lives of servers that are told apart; a place is used again when its records are gone. */
const originsMax = 65_535

/** The lives of servers whose records are here: the digest of anti-entropy is made of them. */
export class Origins {
  readonly #byKey = new Map<string, Origin>()
  readonly #byIndex: (Origin | undefined)[] = []
  readonly #free: number[] = []

  /** Returns the origin, entered if it is new. */
  enter(name: string, epoch: number): Origin {
    const key = `${name} ${epoch}`
    const known = this.#byKey.get(key)
    if (known) return known
    if (this.#byKey.size >= originsMax) this.#forgetEmpty()
    const index = this.#free.pop() ?? this.#byIndex.length
    const nameBytes = Buffer.from(name, 'latin1')
    const origin: Origin = { index, name, epoch, nameBytes, sequence: 0, records: 0 }
    this.#byKey.set(key, origin)
    this.#byIndex[index] = origin
    return origin
  }

  /** Returns the origin, or undefined when nothing of it was ever heard. */
  find(name: string, epoch: number): Origin | undefined {
    return this.#byKey.get(`${name} ${epoch}`)
  }

  /** Returns the origin of a record here. */
  at(index: number): Origin {
    const origin = this.#byIndex[index]
    if (!origin) throw new RangeError(`no origin has index ${index}`)
    return origin
  }

  all(): IterableIterator<Origin> {
    return this.#byKey.values()
  }

  /** Forgets lives that ended without leaving a record, so that restarts do not add up for ever. */
  #forgetEmpty(): void {
    const newest = new Map<string, number>()
    for (const { name, epoch } of this.all())
      newest.set(name, Math.max(epoch, newest.get(name) ?? 0))
    for (const origin of [...this.all()]) {
      if (origin.records > 0 || origin.epoch === newest.get(origin.name)) continue
      this.#byKey.delete(`${origin.name} ${origin.epoch}`)
      this.#byIndex[origin.index] = undefined
      this.#free.push(origin.index)
    }
  }
}
