import { HashRing } from '@drover/ring'

/** Where one partition is, of all that there are. */
export interface Place {
  /** TOPIC/INDEX: what the ring is asked about. */
  readonly key: string
  readonly broker: string
}

/**
 * Chooses brokers for partitions: of those that have the fewest, the first on the ring behind the
 * partition's key. That is consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam,
 * 2016) at its tightest: many topics of one partition spread as evenly as one topic of many.
 */
export class Placement {
  readonly #ring: HashRing
  readonly #loads: number[]

  /** `brokers` can be chosen; `places` say what they have already. */
  constructor(brokers: readonly string[], places: readonly Place[]) {
    this.#ring = new HashRing(brokers.map((id) => ({ id })))
    this.#loads = brokers.map((id) => places.filter(({ broker }) => broker === id).length)
  }

  /** The broker for one more partition, which counts from now on. */
  choose(key: string): string {
    const least = Math.min(...this.#loads)
    const index = this.#ring.find(key, (one) => this.#loads[one] === least)
    this.#loads[index] = least + 1
    return this.#ring.nodes[index]?.id ?? ''
  }
}

/** Where the partitions of brokers that are not among `brokers` go; nothing else moves. */
export function placesAfterLeaving(
  brokers: readonly string[],
  places: readonly Place[],
): ReadonlyMap<string, string> {
  const placement = new Placement(brokers, places)
  const homeless = places.filter(({ broker }) => !brokers.includes(broker))
  return new Map(homeless.map(({ key }) => [key, placement.choose(key)]))
}

/**
 * What `newcomer` takes over to have its share, from those that have most: first what the ring would
 * give it. Nothing moves between the others.
 */
export function placesForNewcomer(
  brokers: readonly string[],
  places: readonly Place[],
  newcomer: string,
): ReadonlyMap<string, string> {
  const ring = new HashRing(brokers.map((id) => ({ id })))
  const isWanted = ({ key }: Place) => ring.nodes[ring.locate(key)]?.id === newcomer
  const byWish = [...places].sort((one, other) => Number(isWanted(other)) - Number(isWanted(one)))
  const owned = new Map(
    brokers.map((name) => [name, byWish.filter(({ broker }) => broker === name)]),
  )
  const own = owned.get(newcomer) ?? []
  const share = Math.floor(places.length / brokers.length)
  const taken = new Map<string, string>()
  while (own.length < share) {
    const most = [...owned.values()].reduce((one, other) =>
      other.length > one.length ? other : one,
    )
    const place = most.shift()
    if (!place) break
    own.push(place)
    taken.set(place.key, newcomer)
  }
  return taken
}
