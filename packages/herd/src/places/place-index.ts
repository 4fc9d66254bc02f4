import { around } from 'geokdbush'
import KDBush from 'kdbush'
import type { Place, PlacesQuery } from './places.ts'

/** Places of a search; Google's three pages hold as many. */
const resultsMax = 60

/** Places that do not change, in a k-d tree over the globe. */
export class PlaceIndex {
  readonly #tree: KDBush
  readonly #placeAt: (index: number) => Place

  /** `positions` holds longitude and latitude of each place in turn; `placeAt` makes its answer. */
  constructor(positions: ArrayLike<number>, placeAt: (index: number) => Place) {
    const count = positions.length / 2
    this.#tree = new KDBush(count)
    for (let index = 0; index < count; index++)
      this.#tree.add(positions[index * 2] as number, positions[index * 2 + 1] as number)
    this.#tree.finish()
    this.#placeAt = placeAt
  }

  /** Returns the places within the radius, nearest first. */
  search({ latitude, longitude, radiusMeters }: PlacesQuery): Place[] {
    const radiusKm = radiusMeters / 1_000
    return around(this.#tree, longitude, latitude, resultsMax, radiusKm).map((index) =>
      this.#placeAt(index),
    )
  }
}
