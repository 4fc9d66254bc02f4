/** A stretch of the ring that belongs to one node. */
export interface Arc {
  /** Where it begins, as a part of the circle in [0, 1). */
  readonly from: number
  /** Its length as a part of the circle; an arc may pass the top, where 1 is 0 again. */
  readonly length: number
}

/** What one node has of the key space. */
export interface NodeShare {
  /** Index of the node. */
  readonly node: number
  /** The sum of its arcs, in [0, 1]. */
  readonly share: number
  readonly arcs: readonly Arc[]
}

/**
 * Returns the share of each node of a ring of `circumference` positions, where the point `owner[i]`
 * at `position[i]` (ascending) has everything after the point before it. Neighbouring points of one
 * node make one arc.
 */
export function sharesOf(
  nodes: number,
  position: ArrayLike<number>,
  owner: ArrayLike<number>,
  circumference: number,
): NodeShare[] {
  const arcs = Array.from({ length: nodes }, (): Arc[] => [])
  const points = position.length
  const ends = Array.from({ length: points }, (_, point) => point).filter(
    (point) => owner[point] !== owner[(point + 1) % points],
  )
  if (points > 0 && ends.length === 0) arcs[owner[0] ?? 0]?.push({ from: 0, length: 1 })

  let from = position[ends.at(-1) ?? 0] ?? 0
  for (const end of ends) {
    const to = position[end] ?? 0
    const length = (to - from + circumference) % circumference
    arcs[owner[end] ?? 0]?.push({ from: from / circumference, length: length / circumference })
    from = to
  }
  return arcs.map((own, node) => ({
    node,
    share: own.reduce((sum, arc) => sum + arc.length, 0),
    arcs: own,
  }))
}
