import { distanceKm } from '../state/geo.ts'
import { askHttp } from './ask-http.ts'
import { foundPlaces, type Place, type PlacesProvider, type PlacesQuery } from './places.ts'

/** How to reach an Overpass server. */
export interface OverpassOptions {
  /** Default the public one, which allows two questions at a time and about 10,000 a day. */
  readonly baseUrl?: string
}

const attribution = '© OpenStreetMap contributors'
/** Tags that make something a place that one goes to, and their order as Google's `types`. */
const kinds = ['amenity', 'shop', 'tourism', 'leisure', 'office'] as const
/** More are read than answered, so that the nearest are among them. */
const elementsMax = 200

/** Returns the provider over OpenStreetMap's Overpass API. */
export function createOverpassPlaces(options: OverpassOptions = {}): PlacesProvider {
  const base = new URL(options.baseUrl ?? 'https://overpass-api.de')
  return {
    name: 'overpass',
    decimals: 3,
    async search(query, signal) {
      const { status, body } = await askHttp(new URL('/api/interpreter', base), {
        method: 'POST',
        signal,
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'drover' },
        body: new URLSearchParams({ data: overpassQuery(query) }).toString(),
      })
      if (status === 429) return refusal('OVER_QUERY_LIMIT')
      if (status >= 400) return refusal(status >= 500 ? 'UNKNOWN_ERROR' : 'INVALID_REQUEST')
      const elements = Array.isArray(body.elements) ? (body.elements as Element[]) : []
      const places = elements.map(toPlace).filter((place) => place !== undefined)
      return foundPlaces(nearestFirst(places, query).slice(0, 60), attribution)
    },
    close: async () => {},
  }
}

interface Element {
  readonly type?: string
  readonly id?: number
  readonly lat?: number
  readonly lon?: number
  readonly center?: { readonly lat?: number; readonly lon?: number }
  readonly tags?: Readonly<Record<string, string>>
}

function overpassQuery({ latitude, longitude, radiusMeters }: PlacesQuery): string {
  const around = `(around:${radiusMeters},${latitude},${longitude})`
  const wanted = kinds.map((kind) => `nwr${around}[name][${kind}];`).join('')
  return `[out:json][timeout:10];(${wanted});out center ${elementsMax};`
}

function refusal(status: string) {
  return { html_attributions: [attribution], results: [], status }
}

function toPlace(element: Element): Place | undefined {
  const { tags = {}, type, id } = element
  const lat = element.lat ?? element.center?.lat
  const lng = element.lon ?? element.center?.lon
  if (typeof lat !== 'number' || typeof lng !== 'number' || tags.name === undefined)
    return undefined
  const street = [tags['addr:housenumber'], tags['addr:street']].filter(Boolean).join(' ')
  const vicinity = [street, tags['addr:city']].filter(Boolean).join(', ')
  return {
    geometry: { location: { lat, lng } },
    name: tags.name,
    place_id: `osm:${type}/${id}`,
    reference: `osm:${type}/${id}`,
    scope: 'APP',
    types: [...kinds.flatMap((kind) => tags[kind] ?? []), 'point_of_interest', 'establishment'],
    ...(vicinity !== '' && { vicinity }),
  }
}

function nearestFirst(places: readonly Place[], query: PlacesQuery): Place[] {
  const away = ({ geometry: { location } }: Place) =>
    distanceKm(query.latitude, query.longitude, location.lat, location.lng)
  return places.toSorted((one, other) => away(one) - away(other))
}
