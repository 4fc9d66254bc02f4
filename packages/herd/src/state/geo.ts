import type { Position } from '../protocol/location.ts'

/** The mean radius of the earth in km (IUGG). */
const earthKm = 6_371.0088

/** The longest distance on the globe in km, rounded up. */
export const halfwayRoundKm = 20_016

const radians = Math.PI / 180

/** Returns the distance along the globe's surface in km (haversine; 0.5 % off on the real earth). */
export function distanceKm(
  latitude: number,
  longitude: number,
  otherLatitude: number,
  otherLongitude: number,
): number {
  const cosines = Math.cos(latitude * radians) * Math.cos(otherLatitude * radians)
  return kmOf(haversine(latitude, longitude, otherLatitude, otherLongitude, cosines))
}

/**
 * Returns a function that tells the distance of a place from `center` in km, or -1 when that is more
 * than `radiusKm`. Faster than `distanceKm` for many places, most of all for those too far away.
 */
export function distanceWithin(
  { latitude, longitude }: Position,
  radiusKm: number,
): (otherLatitude: number, otherLongitude: number) => number {
  const cosine = Math.cos(latitude * radians)
  const half = Math.min(Math.PI / 2, radiusKm / earthKm / 2)
  // A little more than the radius, so that rounding loses nobody at the edge.
  const most = Math.sin(half) ** 2 * (1 + 1e-9) + 1e-18
  return (otherLatitude, otherLongitude) => {
    const cosines = cosine * Math.cos(otherLatitude * radians)
    const part = haversine(latitude, longitude, otherLatitude, otherLongitude, cosines)
    if (part > most) return -1
    const away = kmOf(part)
    return away <= radiusKm ? away : -1
  }
}

/** The square of half the chord; `cosines` is the product of both latitudes' cosines. */
function haversine(
  latitude: number,
  longitude: number,
  otherLatitude: number,
  otherLongitude: number,
  cosines: number,
): number {
  const sinLatitude = Math.sin(((otherLatitude - latitude) * radians) / 2)
  const sinLongitude = Math.sin(((otherLongitude - longitude) * radians) / 2)
  return sinLatitude * sinLatitude + cosines * sinLongitude * sinLongitude
}

function kmOf(haversinePart: number): number {
  return 2 * earthKm * Math.asin(Math.min(1, Math.sqrt(haversinePart)))
}

/** A part of the globe between two parallels and two meridians, in degrees. */
export interface Box {
  readonly south: number
  readonly north: number
  /** Where it begins. When `west` is above `east` it crosses the antimeridian. */
  readonly west: number
  readonly east: number
}

/** Tells whether a position lies in the box, its edges included. */
export function boxHas(box: Box, latitude: number, longitude: number): boolean {
  if (latitude < box.south || latitude > box.north) return false
  if (box.west <= box.east) return longitude >= box.west && longitude <= box.east
  return longitude >= box.west || longitude <= box.east
}

/** Returns the smallest box around a circle; a circle that holds a pole gets every meridian. */
export function boxAround({ latitude, longitude }: Position, radiusKm: number): Box {
  // A little wider than exact, so that rounding loses nobody at the edge.
  const angle = radiusKm / earthKm / radians + 1e-9
  const south = Math.max(-90, latitude - angle)
  const north = Math.min(90, latitude + angle)
  if (latitude - angle <= -90 || latitude + angle >= 90)
    return { south, north, west: -180, east: 180 }
  const spread =
    Math.asin(Math.min(1, Math.sin(angle * radians) / Math.cos(latitude * radians))) / radians
  if (spread >= 180) return { south, north, west: -180, east: 180 }
  return {
    south,
    north,
    west: wrap(longitude - spread - 1e-9),
    east: wrap(longitude + spread + 1e-9),
  }
}

function wrap(longitude: number): number {
  if (longitude < -180) return longitude + 360
  return longitude > 180 ? longitude - 360 : longitude
}
