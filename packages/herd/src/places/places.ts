import type { Position } from '../protocol/location.ts'

/** A question for places. */
export interface PlacesQuery extends Readonly<Position> {
  /** 0 to 50,000. */
  readonly radiusMeters: number
  /** How many places the client wants at most, 0 to 20. */
  readonly limit: number
}

/** A place in the form of Google's Nearby Search. What a provider adds to it is passed on. */
export interface Place {
  readonly name: string
  readonly place_id: string
  readonly geometry: {
    readonly location: { readonly lat: number; readonly lng: number }
    readonly [field: string]: unknown
  }
  readonly types: readonly string[]
  readonly vicinity?: string
  readonly [field: string]: unknown
}

/** An answer in the form of Google's Nearby Search, with one of its status values. */
export interface PlacesAnswer {
  readonly html_attributions: readonly string[]
  readonly results: readonly unknown[]
  /** OK, ZERO_RESULTS, INVALID_REQUEST, OVER_QUERY_LIMIT, REQUEST_DENIED, UNKNOWN_ERROR. */
  readonly status: string
  readonly next_page_token?: string
  readonly error_message?: string
  readonly [field: string]: unknown
}

/** Somebody who knows places. */
export interface PlacesProvider {
  readonly name: string
  /** How far a client's position may be rounded to find an earlier answer, in decimals of a degree. */
  readonly decimals: number
  /** Answers, also with a status that says no. Throws PLACES_UNREACHABLE when there is no answer. */
  search(query: PlacesQuery, signal: AbortSignal): Promise<PlacesAnswer>
  /** Lets go of what it holds. */
  close(): Promise<void>
}

/** Returns the answer for places that were found, or for none. */
export function foundPlaces(results: readonly Place[], attribution: string): PlacesAnswer {
  return {
    html_attributions: [attribution],
    results,
    status: results.length > 0 ? 'OK' : 'ZERO_RESULTS',
  }
}

/** Of each answer that is kept the text made last: many ask the same, and making it takes 0.1 ms. */
const rendered = new WeakMap<PlacesAnswer, { readonly bound: number; readonly bytes: Buffer }>()

/**
 * Returns the text that a client gets: the results cut to `bound`, laid out as Google does, no two
 * newlines in a row, and two at the end. The bytes are shared and must not be changed.
 */
export function renderPlaces(answer: PlacesAnswer, bound: number): Buffer {
  const known = rendered.get(answer)
  if (known?.bound === bound) return known.bytes
  const cut = { ...answer, results: answer.results.slice(0, bound) }
  // Newlines in texts are escaped, so the only ones are those of the layout, never two together.
  const bytes = Buffer.from(`${JSON.stringify(cut, null, 3)}\n\n`, 'utf8')
  rendered.set(answer, { bound, bytes })
  return bytes
}
