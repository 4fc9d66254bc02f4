import { createHash, randomBytes } from 'node:crypto'

/** Chance for so many ids is drawn at one time: each draw is a call to the system. */
const pooledIds = 256
const pool = { bytes: Buffer.alloc(0), at: 0 }

/** Returns a new id: UUID version 7 (RFC 9562), 48 bits of time and 74 of chance. */
export function newId(nowMs: number): string {
  if (pool.at === pool.bytes.length) {
    pool.bytes = randomBytes(pooledIds * 16)
    pool.at = 0
  }
  const bytes = pool.bytes.subarray(pool.at, pool.at + 16)
  pool.at += 16
  bytes.writeUIntBE(nowMs, 0, 6)
  return format(bytes, 7)
}

/** Returns the id that the same scope and place in it always give (UUID version 8). */
export function keyedId(scope: string, index: number): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([scope, index]))
    .digest()
  return format(hash.subarray(0, 16), 8)
}

function format(bytes: Buffer, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4)
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
