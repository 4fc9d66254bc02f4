/** A stretch of the circle; both as parts of it. */
export interface Stretch {
  readonly from: number
  readonly length: number
}

/** A ring's two radii around 0, 0. */
export interface Band {
  readonly inner: number
  readonly outer: number
}

/** Less than the whole circle: an arc from a point to itself would not be drawn. */
const lengthMax = 0.9999

/** Returns the SVG path of a stretch of a ring that begins at the top and runs clockwise. */
export function arcPath({ from, length }: Stretch, { inner, outer }: Band): string {
  const start = from * 2 * Math.PI
  const end = start + Math.min(length, lengthMax) * 2 * Math.PI
  const large = end - start > Math.PI ? 1 : 0
  return [
    `M${point(start, outer)}`,
    `A${outer} ${outer} 0 ${large} 1 ${point(end, outer)}`,
    `L${point(end, inner)}`,
    `A${inner} ${inner} 0 ${large} 0 ${point(start, inner)}Z`,
  ].join('')
}

function point(angle: number, radius: number): string {
  const x = Math.sin(angle) * radius
  const y = -Math.cos(angle) * radius
  return `${x.toFixed(2)} ${y.toFixed(2)}`
}

/** Returns one stretch for each share, one after the other, for policies that have no ring. */
export function stretchesOf(shares: readonly number[]): Stretch[] {
  let from = 0
  return shares.map((length) => {
    const stretch = { from, length }
    from += length
    return stretch
  })
}
