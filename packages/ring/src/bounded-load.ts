/**
 * Returns the most load that a node may have under bounded loads: ⌈(1 + epsilon) · total · share⌉,
 * where `total` counts all load including the request to be placed, and `share` is the node's weight
 * over the sum of all weights (1/n when they are equal, so that total · share is the mean). Place a
 * request on the first node of its walk whose load is below its limit: one always is. Mirrokni,
 * Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016.
 */
export function loadLimit(total: number, share: number, epsilon: number): number {
  const exact = (1 + epsilon) * total * share
  // A product like 1.1 · 10 is a little over 11 in binary and must not become 12.
  return Math.ceil(exact - exact * 1e-12)
}
