import { type Static, Type } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { FenceShape } from '../state/fences.ts'

/** Degrees, as every route and message takes them. */
export const latitude = Type.Number({ minimum: -90, maximum: 90 })
export const longitude = Type.Number({ minimum: -180, maximum: 180 })

/** A circle; its radius may go once around the globe. */
export const circleSchema = Type.Object({
  latitude,
  longitude,
  radiusKm: Type.Number({ minimum: 0, maximum: 20_016 }),
})

/** A box; when `west` is above `east` it crosses the antimeridian. */
export const boxSchema = Type.Object({
  south: latitude,
  north: latitude,
  west: longitude,
  east: longitude,
})

/** Throws HERD_QUERY_INVALID for a box that no client can be in. */
export function checkBox({ south, north }: Static<typeof boxSchema>): void {
  if (south > north) throw fault('HERD_QUERY_INVALID', `south (${south}) is above north (${north})`)
}

/** Returns the shape that a request or message describes. Throws HERD_QUERY_INVALID. */
export function toShape(
  given: { circle: Static<typeof circleSchema> } | { box: Static<typeof boxSchema> },
): FenceShape {
  if ('box' in given) {
    checkBox(given.box)
    return { kind: 'box', box: given.box }
  }
  const { radiusKm, ...center } = given.circle
  return { kind: 'circle', center, radiusKm }
}
