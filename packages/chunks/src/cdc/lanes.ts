import { type CdcOptions, type CutFinder, makeGear, masksOf, stepsOf } from './gear.ts'

interface Lanes {
  readonly high: Int32Array
  readonly low: Int32Array
}

/**
 * FastCDC 2020 in TypeScript: the 64-bit hash as two lanes of 32 bits. A tenth as fast as the
 * WebAssembly core; it is what that is checked against, and stands in where there is no WebAssembly.
 */
export function createLanesFinder(options: CdcOptions, bytes: Uint8Array): CutFinder {
  const gear = makeGear(options.seed)
  const once = split([...gear])
  const twice = split([...gear].map((value) => value << 1n))
  const { small, large } = masksOf(options)
  const hard = split([small << 1n, small])
  const easy = split([large << 1n, large])
  const hash = { high: 0, low: 0 }

  /** Rolls over [from, until); returns where the masked hash is zero, or -1. */
  const roll = (from: number, until: number, mask: Lanes): number => {
    const [oddHigh, evenHigh] = [mask.high[0] as number, mask.high[1] as number]
    const [oddLow, evenLow] = [mask.low[0] as number, mask.low[1] as number]
    let { high, low } = hash
    for (let at = from; at < until; at += 2) {
      const first = bytes[at] as number
      high = (high << 2) | (low >>> 30)
      let sum = ((low << 2) >>> 0) + ((twice.low[first] as number) >>> 0)
      low = sum | 0
      high = (high + (twice.high[first] as number) + (sum > 0xffffffff ? 1 : 0)) | 0
      if (((high & oddHigh) | (low & oddLow)) === 0) return at
      const second = bytes[at + 1] as number
      sum = (low >>> 0) + ((once.low[second] as number) >>> 0)
      low = sum | 0
      high = (high + (once.high[second] as number) + (sum > 0xffffffff ? 1 : 0)) | 0
      if (((high & evenHigh) | (low & evenLow)) === 0) return at + 1
    }
    hash.high = high
    hash.low = low
    return -1
  }

  return {
    find(start, end) {
      if (end - start <= options.minBytes) return end
      const { from, easier, stop, last } = stepsOf(options, start, end)
      hash.high = 0
      hash.low = 0
      const early = roll(from, easier, hard)
      if (early >= 0) return early
      const late = roll(Math.max(from, easier), stop, easy)
      return late >= 0 ? late : last
    },
  }
}

function split(values: readonly bigint[]): Lanes {
  return {
    high: Int32Array.from(values, (value) => Number(BigInt.asIntN(32, value >> 32n))),
    low: Int32Array.from(values, (value) => Number(BigInt.asIntN(32, value))),
  }
}
