import { askHttp, type HttpAnswer } from './ask-http.ts'
import type { GoogleOptions } from './google.ts'
import type { PlacesAnswer, PlacesProvider } from './places.ts'

/** The fields that the legacy answer has a place for; Google bills by what is asked for. */
const fieldMask = [
  'id',
  'displayName',
  'location',
  'viewport',
  'types',
  'shortFormattedAddress',
  'businessStatus',
  'rating',
  'userRatingCount',
  'priceLevel',
  'iconMaskBaseUri',
  'iconBackgroundColor',
  'plusCode',
  'currentOpeningHours.openNow',
]
  .map((field) => `places.${field}`)
  .join(',')

/** Returns the provider over Google's Places API (New), mapped to the legacy answer. */
export function createGoogleNewPlaces(options: GoogleOptions): PlacesProvider {
  const base = new URL(options.baseUrl ?? 'https://places.googleapis.com')
  return {
    name: 'google-new',
    decimals: 4,
    async search({ latitude, longitude, radiusMeters, limit }, signal) {
      const answer = await askHttp(new URL('/v1/places:searchNearby', base), {
        method: 'POST',
        signal,
        headers: {
          'content-type': 'application/json',
          'x-goog-api-key': options.key,
          'x-goog-fieldmask': fieldMask,
        },
        body: JSON.stringify({
          maxResultCount: Math.max(1, Math.min(20, limit)),
          locationRestriction: {
            circle: { center: { latitude, longitude }, radius: radiusMeters },
          },
        }),
      })
      return toLegacy(answer)
    },
    close: async () => {},
  }
}

/** What Google's new API tells of a place, as far as it is asked for. */
interface NewPlace {
  readonly id?: string
  readonly displayName?: { readonly text?: string }
  readonly location?: LatLng
  readonly viewport?: { readonly low?: LatLng; readonly high?: LatLng }
  readonly types?: readonly string[]
  readonly shortFormattedAddress?: string
  readonly businessStatus?: string
  readonly rating?: number
  readonly userRatingCount?: number
  readonly priceLevel?: string
  readonly iconMaskBaseUri?: string
  readonly iconBackgroundColor?: string
  readonly plusCode?: { readonly globalCode?: string; readonly compoundCode?: string }
  readonly currentOpeningHours?: { readonly openNow?: boolean }
}

interface LatLng {
  readonly latitude?: number
  readonly longitude?: number
}

function toLegacy({ status, body }: HttpAnswer): PlacesAnswer {
  if (status < 200 || status >= 300) {
    const message = (body.error as { message?: unknown } | undefined)?.message
    return {
      ...(typeof message === 'string' && { error_message: message }),
      html_attributions: [],
      results: [],
      status: legacyStatus(status),
    }
  }
  const places = Array.isArray(body.places) ? (body.places as NewPlace[]) : []
  return {
    html_attributions: [],
    results: places.map(toLegacyPlace),
    status: places.length > 0 ? 'OK' : 'ZERO_RESULTS',
  }
}

function legacyStatus(status: number): string {
  if (status === 429) return 'OVER_QUERY_LIMIT'
  if (status === 401 || status === 403) return 'REQUEST_DENIED'
  return status >= 500 ? 'UNKNOWN_ERROR' : 'INVALID_REQUEST'
}

const priceLevels = [
  'PRICE_LEVEL_FREE',
  'PRICE_LEVEL_INEXPENSIVE',
  'PRICE_LEVEL_MODERATE',
  'PRICE_LEVEL_EXPENSIVE',
  'PRICE_LEVEL_VERY_EXPENSIVE',
]

function toLegacyPlace(place: NewPlace): Record<string, unknown> {
  const level = priceLevels.indexOf(place.priceLevel ?? '')
  const { low, high } = place.viewport ?? {}
  const viewport = low && high && { northeast: legacyPoint(high), southwest: legacyPoint(low) }
  const openNow = place.currentOpeningHours?.openNow
  const { globalCode, compoundCode } = place.plusCode ?? {}
  // JSON leaves out what is undefined.
  return {
    business_status: place.businessStatus,
    geometry: { location: legacyPoint(place.location ?? {}), viewport },
    icon: place.iconMaskBaseUri && `${place.iconMaskBaseUri}.png`,
    icon_background_color: place.iconBackgroundColor,
    icon_mask_base_uri: place.iconMaskBaseUri,
    name: place.displayName?.text ?? '',
    opening_hours: openNow === undefined ? undefined : { open_now: openNow },
    place_id: place.id ?? '',
    plus_code: globalCode && { compound_code: compoundCode, global_code: globalCode },
    price_level: level < 0 ? undefined : level,
    rating: place.rating,
    reference: place.id ?? '',
    scope: 'GOOGLE',
    types: place.types ?? [],
    user_ratings_total: place.userRatingCount,
    vicinity: place.shortFormattedAddress,
  }
}

function legacyPoint({ latitude = 0, longitude = 0 }: LatLng): { lat: number; lng: number } {
  return { lat: latitude, lng: longitude }
}
