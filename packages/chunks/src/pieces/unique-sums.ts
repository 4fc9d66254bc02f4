/**
 * Counts different SHA-256 by their first 8 bytes, in a hash table with linear probing: about 16 bytes
 * for each chunk. Two different chunks are taken for one with a chance of n² / 2⁶⁵.
 */
export class UniqueSums {
  count = 0
  /** Of the different chunks together. */
  bytes = 0
  #table = new BigUint64Array(1_024)

  /** Takes the sum of 32 bytes at `at`, of a chunk of `length` bytes. */
  add(sums: Buffer, at: number, length: number): void {
    if (2 * this.count >= this.#table.length) this.#grow()
    if (!insert(this.#table, sums.readBigUInt64LE(at) || 1n)) return
    this.count++
    this.bytes += length
  }

  #grow(): void {
    const larger = new BigUint64Array(2 * this.#table.length)
    for (const key of this.#table) if (key !== 0n) insert(larger, key)
    this.#table = larger
  }
}

/** Returns whether the key, which is not 0, was not there. The table is never full. */
function insert(table: BigUint64Array, key: bigint): boolean {
  const mask = table.length - 1
  for (let place = Number(key & 0xffff_ffffn) & mask; ; place = (place + 1) & mask) {
    if (table[place] === key) return false
    if (table[place] !== 0n) continue
    table[place] = key
    return true
  }
}
