import { createHash } from 'node:crypto'

/**
 * Returns FastCDC's table of 256 random 64-bit numbers: entry i is the first 8 bytes, big-endian, of
 * the MD5 of 64 bytes of value i, XORed with `seed`.
 */
export function makeGear(seed: bigint): BigUint64Array {
  return BigUint64Array.from({ length: 256 }, (_, value) => {
    const digest = createHash('md5').update(Buffer.alloc(64, value)).digest()
    return digest.readBigUInt64BE() ^ seed
  })
}

/** The masks by their number of bits, spread out as the paper of 2020 asks; below 5 bits there is none. */
const masks: readonly bigint[] = [
  0x0n,
  0x0n,
  0x0n,
  0x0n,
  0x0n,
  0x0000000001804110n,
  0x0000000001803110n,
  0x0000000018035100n,
  0x0000001800035300n,
  0x0000019000353000n,
  0x0000590003530000n,
  0x0000d90003530000n,
  0x0000d90103530000n,
  0x0000d90303530000n,
  0x0000d90313530000n,
  0x0000d90f03530000n,
  0x0000d90303537000n,
  0x0000d90703537000n,
  0x0000d90707537000n,
  0x0000d91707537000n,
  0x0000d91747537000n,
  0x0000d91767537000n,
  0x0000d93767537000n,
  0x0000d93777537000n,
  0x0000d93777577000n,
  0x0000db3777577000n,
]

/** How FastCDC cuts. */
export interface CdcOptions {
  /** Bytes that are skipped at the start of each piece. */
  readonly minBytes: number
  /** Where cutting becomes easier; the usual size of a piece. */
  readonly avgBytes: number
  /** Where a piece ends at the latest. */
  readonly maxBytes: number
  /** Normalisation: how much harder and easier, 0 to 3. */
  readonly level: number
  /** Changes every cut; the same seed gives the same cuts. */
  readonly seed: bigint
}

/** The mask before the average size (harder to meet) and the one after it. */
export function masksOf({ avgBytes, level }: CdcOptions): { small: bigint; large: bigint } {
  const bits = Math.round(Math.log2(avgBytes))
  const [small, large] = [masks[bits + level], masks[bits - level]]
  if (!small || !large) throw new RangeError(`no mask of ${bits} ± ${level} bits`)
  return { small, large }
}

/** Finds where the piece that begins at `start` ends. */
export interface CutFinder {
  /** Returns the offset in `bytes` at which the piece from `start` ends, at most `end`. */
  find(start: number, end: number): number
}

/** The places where the search begins, becomes easier and ends; all even steps from `start`. */
export function stepsOf(options: CdcOptions, start: number, end: number) {
  const length = Math.min(end - start, options.maxBytes)
  const even = (count: number) => start + count - (count % 2)
  return {
    from: even(options.minBytes),
    easier: even(Math.min(options.avgBytes, length)),
    stop: even(length),
    last: start + length,
  }
}
