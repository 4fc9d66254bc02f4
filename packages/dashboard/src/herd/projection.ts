/** A place on the earth in degrees. */
export interface Degrees {
  readonly latitude: number
  readonly longitude: number
}

/** Between two latitudes and two longitudes; when `west` is above `east` it goes over 180°. */
export interface Box {
  readonly south: number
  readonly west: number
  readonly north: number
  readonly east: number
}

/** What part of the earth is seen: plate carrée, degrees are the same length everywhere. */
export interface View {
  readonly center: Degrees
  /** Pixels of a degree. */
  readonly scale: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** A thousandth of a degree is 111 m; closer than this there is nothing to see. */
const scaleMax = 40_000

/** The whole earth. */
export function worldView({ width, height }: Size): View {
  return {
    center: { latitude: 0, longitude: 0 },
    scale: Math.max(0.1, Math.min(width / 360, height / 180)),
  }
}

/** All of `places` with a margin; the whole earth for none. */
export function viewOf(places: readonly Degrees[], size: Size): View {
  if (places.length === 0) return worldView(size)
  const bounds = { south: 90, north: -90, west: 180, east: -180 }
  for (const { latitude, longitude } of places) {
    bounds.south = Math.min(bounds.south, latitude)
    bounds.north = Math.max(bounds.north, latitude)
    bounds.west = Math.min(bounds.west, longitude)
    bounds.east = Math.max(bounds.east, longitude)
  }
  const { south, north, west, east } = bounds
  const across = Math.max(0.02, (east - west) * 1.3)
  const along = Math.max(0.01, (north - south) * 1.3)
  return {
    center: { latitude: (south + north) / 2, longitude: (west + east) / 2 },
    scale: clampScale(Math.min(size.width / across, size.height / along), size),
  }
}

/** Where a place is drawn. */
export function toPixels({ latitude, longitude }: Degrees, view: View, size: Size) {
  return {
    x: size.width / 2 + (longitude - view.center.longitude) * view.scale,
    y: size.height / 2 - (latitude - view.center.latitude) * view.scale,
  }
}

/** Returns the boxes that are drawn for `box`: two where it goes over 180°, which is the edge of the map. */
export function piecesOf(box: Box): readonly Box[] {
  if (box.west <= box.east) return [box]
  return [
    { ...box, east: 180 },
    { ...box, west: -180 },
  ]
}

/** Which place is drawn there, kept on the earth. */
export function toDegrees(x: number, y: number, view: View, size: Size): Degrees {
  const longitude = view.center.longitude + (x - size.width / 2) / view.scale
  const latitude = view.center.latitude - (y - size.height / 2) / view.scale
  return { latitude: clamp(latitude, -90, 90), longitude: clamp(longitude, -180, 180) }
}

/** Comes closer by `factor`, or goes away; the place at x, y stays where it is. */
export function zoom(view: View, factor: number, size: Size, x: number, y: number): View {
  const scale = clampScale(view.scale * factor, size)
  const fixed = toDegrees(x, y, view, size)
  return {
    scale,
    center: {
      latitude: clamp(fixed.latitude + (y - size.height / 2) / scale, -90, 90),
      longitude: clamp(fixed.longitude - (x - size.width / 2) / scale, -180, 180),
    },
  }
}

/** Goes aside by parts of what is seen; the middle stays on the earth. */
export function pan(
  view: View,
  size: Size,
  step: { readonly x: number; readonly y: number },
): View {
  const x = size.width * (0.5 + step.x)
  const y = size.height * (0.5 + step.y)
  return { ...view, center: toDegrees(x, y, view, size) }
}

/** Distance of grid lines in degrees: some six of them across. */
export function gridStep({ scale }: View, { width }: Size): number {
  const wanted = width / scale / 6
  const steps = [60, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001]
  return steps.find((step) => step <= wanted) ?? 0.001
}

function clampScale(scale: number, size: Size): number {
  return clamp(scale, worldView(size).scale, scaleMax)
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
