import { type CreatePolicy, isFree } from '../policy.ts'
import { createDraw } from './draw.ts'

/** One at random, by weight. Cost of a pick: O(log candidates) while the one drawn is free. */
export const createRandom: CreatePolicy = (candidates, { random }) => {
  const draw = createDraw(candidates, random)
  return {
    pick(request) {
      const drawn = draw.any()
      if (drawn === undefined || isFree(drawn, request)) return drawn
      return draw.free(request, drawn)
    },
  }
}
