import { readFile } from 'node:fs/promises'
import { fault } from '../errors.ts'
import { parseCsv } from './csv.ts'
import { PlaceIndex } from './place-index.ts'
import { foundPlaces, type Place, type PlacesProvider } from './places.ts'

/** A place of the user's file. */
interface OwnPlace {
  readonly name: string
  readonly latitude: number
  readonly longitude: number
  readonly id: string
  readonly types: readonly string[]
  readonly vicinity?: string
}

/**
 * Returns the provider over a file of the user's: GeoJSON (`.json`, `.geojson`: points with a `name`)
 * or CSV with a first line that names `name`, `latitude` (or `lat`), `longitude` (or `lng`, `lon`)
 * and perhaps `id`, `types` (parted by `|`) and `vicinity`. Throws PLACES_FILE_INVALID.
 */
export async function openFilePlaces(file: string): Promise<PlacesProvider> {
  const places = await readPlaces(file)
  const index = new PlaceIndex(
    places.flatMap(({ longitude, latitude }) => [longitude, latitude]),
    (at) => toPlace(places[at] as OwnPlace),
  )
  return {
    name: 'file',
    decimals: 6,
    search: async (query) => foundPlaces(index.search(query), file.replace(/^.*\//, '')),
    close: async () => {},
  }
}

async function readPlaces(file: string): Promise<OwnPlace[]> {
  try {
    const text = await readFile(file, 'utf8')
    return /\.(geo)?json$/i.test(file) ? fromGeoJson(JSON.parse(text)) : fromCsv(text)
  } catch (cause) {
    throw fault('PLACES_FILE_INVALID', `${file}: cannot be read as places`, { cause })
  }
}

function fromCsv(text: string): OwnPlace[] {
  const [head = [], ...rows] = parseCsv(text.replace(/^\uFEFF/, ''))
  const names = head.map((name) => name.trim().toLowerCase())
  const columnOf = (...known: string[]) => names.findIndex((name) => known.includes(name))
  const latitude = columnOf('latitude', 'lat')
  const longitude = columnOf('longitude', 'lng', 'lon')
  const name = columnOf('name')
  if (latitude < 0 || longitude < 0 || name < 0)
    throw new TypeError('the first line must name the columns name, latitude and longitude')
  return rows.map((row, number) =>
    checked(
      {
        name: row[name] ?? '',
        latitude: numberOf(row[latitude]),
        longitude: numberOf(row[longitude]),
        id: row[columnOf('id')] ?? `${number + 1}`,
        types: (row[columnOf('types', 'type')] ?? '').split('|').filter(Boolean),
        vicinity: row[columnOf('vicinity', 'address')] ?? '',
      },
      `line ${number + 2}`,
    ),
  )
}

interface Feature {
  readonly id?: string | number
  readonly geometry?: { readonly type?: string; readonly coordinates?: readonly number[] }
  readonly properties?: Readonly<Record<string, unknown>>
}

function fromGeoJson(document: { features?: unknown }): OwnPlace[] {
  if (!Array.isArray(document.features)) throw new TypeError('there is no list of features')
  const points = (document.features as Feature[]).filter(
    ({ geometry }) => geometry?.type === 'Point',
  )
  return points.map(({ id, geometry, properties = {} }, number) => {
    const [longitude = Number.NaN, latitude = Number.NaN] = geometry?.coordinates ?? []
    const types = Array.isArray(properties.types) ? properties.types.map(String) : []
    return checked(
      {
        name: String(properties.name ?? ''),
        latitude,
        longitude,
        id: String(id ?? number + 1),
        types,
        vicinity: String(properties.vicinity ?? properties.address ?? ''),
      },
      `feature ${number + 1}`,
    )
  })
}

function numberOf(text: string | undefined): number {
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text)
}

function checked(place: OwnPlace, where: string): OwnPlace {
  const { name, latitude, longitude } = place
  if (name === '') throw new TypeError(`${where}: the place has no name`)
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180))
    throw new RangeError(`${where}: ${latitude}, ${longitude} is no position`)
  return place
}

function toPlace({ name, latitude, longitude, id, types, vicinity }: OwnPlace): Place {
  return {
    geometry: { location: { lat: latitude, lng: longitude } },
    name,
    place_id: `file:${id}`,
    reference: `file:${id}`,
    scope: 'APP',
    types: types.length > 0 ? types : ['point_of_interest'],
    ...(vicinity && { vicinity }),
  }
}
