import type { CreatePolicy } from '../policy.ts'
import { createDraw } from './draw.ts'

/** One at random, by weight. Cost of a pick: O(log candidates) while the one drawn is free. */
export const createRandom: CreatePolicy = (candidates, { random }) => {
  const draw = createDraw(candidates, random)
  return { pick: (request) => draw(request) }
}
