import type { CreatePolicy } from '../policy.ts'
import { pickOfTwo } from './draw.ts'

/**
 * Of two candidates drawn at random by weight, the one with less under way for its weight (Michael
 * Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001). Almost as even as
 * asking all of them, and several doors never rush together to the same idle replica. Cost of a
 * pick: O(log candidates) while those drawn are free.
 */
export const createTwoChoices: CreatePolicy = (candidates, { random }) => ({
  pick: pickOfTwo(
    candidates,
    random,
    (second, first) => second.inFlight * first.weight < first.inFlight * second.weight,
  ),
})
