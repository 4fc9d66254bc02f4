const digitsMax = 15

/** Returns the number that `bytes[from..to)` writes with 1 to 15 digits; -1 for anything else. */
export function readLength(bytes: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > digitsMax) return -1
  let length = 0
  for (let index = from; index < to; index++) {
    const digit = (bytes[index] as number) - 48
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length
}
