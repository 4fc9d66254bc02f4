import { systemClock } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { TopologySettings } from '../topology.ts'
import { openFilePlaces } from './file-places.ts'
import { createGooglePlaces } from './google.ts'
import { createGoogleNewPlaces } from './google-new.ts'
import { createOfflinePlaces } from './offline.ts'
import { createOverpassPlaces } from './overpass.ts'
import type { PlacesProvider } from './places.ts'

/**
 * Returns the provider that the settings name. Without any: Google's, when GOOGLE_PLACES_API_KEY is
 * set, else the offline towns. The key comes from the environment only, so that it is in no file.
 * Throws TOPOLOGY_INVALID or PLACES_FILE_INVALID.
 */
export async function openPlaces(settings: TopologySettings['places']): Promise<PlacesProvider> {
  const key = process.env.GOOGLE_PLACES_API_KEY ?? ''
  const provider = settings?.provider ?? (key === '' ? 'offline' : 'google')
  const where = settings?.url === undefined ? {} : { baseUrl: settings.url }
  if (provider === 'offline') return createOfflinePlaces()
  if (provider === 'overpass') return createOverpassPlaces(where)
  if (provider === 'file') {
    if (settings?.file !== undefined) return openFilePlaces(settings.file)
    throw fault('TOPOLOGY_INVALID', 'places.file is missing; it names a CSV or GeoJSON file')
  }
  if (key === '')
    throw fault('TOPOLOGY_INVALID', `${provider} needs GOOGLE_PLACES_API_KEY in the environment`)
  const options = { key, clock: systemClock, ...where }
  return provider === 'google' ? createGooglePlaces(options) : createGoogleNewPlaces(options)
}
