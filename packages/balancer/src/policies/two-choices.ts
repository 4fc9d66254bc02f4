import type { Candidate, CreatePolicy, PickRequest } from '../policy.ts'
import { isFree } from '../policy.ts'
import { createDraw, type Draw } from './draw.ts'

/**
 * Of two candidates drawn at random by weight, the one with less under way for its weight (Michael
 * Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001). Almost as even as
 * asking all of them, and several doors never rush together to the same idle replica. Cost of a
 * pick: O(log candidates) while those drawn are free.
 */
export const createTwoChoices: CreatePolicy = (candidates, { random }) => {
  const draw = createDraw(candidates, random)
  return {
    pick(request) {
      const first = drawFree(draw, request, undefined)
      if (first === undefined || candidates.length === 1) return first
      const second = drawFree(draw, request, first)
      if (second === undefined) return first
      return second.inFlight * first.weight < first.inFlight * second.weight ? second : first
    },
  }
}

/** Draws a free candidate other than `except`, in most cases without looking at all of them. */
export function drawFree(
  draw: Draw,
  request: PickRequest,
  except: Candidate | undefined,
): Candidate | undefined {
  const drawn = draw.any()
  if (drawn !== undefined && drawn !== except && isFree(drawn, request)) return drawn
  return draw.free(request, except)
}
