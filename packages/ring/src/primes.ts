/** Returns the least prime number that is not below `value`. Cost: O(√value) for each number tried. */
export function nextPrime(value: number): number {
  for (let number = Math.max(2, Math.ceil(value)); ; number++) if (isPrime(number)) return number
}

/** Holds for a prime number; not for a number that is not whole. */
export function isPrime(value: number): boolean {
  if (!Number.isInteger(value) || value < 2) return false
  for (let divisor = 2; divisor * divisor <= value; divisor++)
    if (value % divisor === 0) return false
  return true
}
