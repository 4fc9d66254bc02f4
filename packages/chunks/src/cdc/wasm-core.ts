import { type Code, i32, i64, moduleOf, op, start } from '../wasm/assembler.ts'
import { type CdcOptions, type CutFinder, makeGear, masksOf, stepsOf } from './gear.ts'

/**
 * The memory of the core:
 *
 *   0      GEAR          256 numbers of 64 bits
 *   2048   GEAR × 2      the same, shifted left by one
 *   4096   the bytes that are cut
 */
const gearAt = 0
const doubledAt = 2_048
/** Where the bytes to cut begin in the core's memory. */
const dataAt = 4_096

const pageBytes = 65_536

/**
 * roll(at, easier, stop, smallDoubled, small, largeDoubled, large) → the address of the cut, or 0.
 *
 *   hash = 0
 *   while (at < easier) two bytes with the small masks
 *   while (at < stop)   two bytes with the large masks
 *   return 0
 */
const local = { at: 0, easier: 1, stop: 2, hash: 7 }
const maskLocals = { small: [3, 4], large: [5, 6] } as const

/** Loads the entry of a table for the byte at `at + ahead`. */
function entry(tableAt: number, ahead: number): Code {
  return [...op.get(local.at), ...op.load8(ahead), ...op.i32(3), ...op.i32ShiftLeft].concat(
    op.load64(tableAt),
  )
}

/** Returns `at + ahead` when the hash meets the mask, which leaves no bit. */
function returnIfMet(mask: number, ahead: number): Code {
  return [
    ...[...op.get(mask), ...op.i64And, ...op.i64IsZero, ...op.ifThen],
    ...[...op.get(local.at), ...op.i32(ahead), ...op.i32Add, ...op.return, ...op.end],
  ]
}

/** Rolls two bytes a turn until `at` reaches `bound`. */
function rollUntil(bound: number, [doubled, plain]: readonly [number, number]): Code {
  return [
    ...[...op.block, ...op.loop],
    ...[...op.get(local.at), ...op.get(bound), ...op.i32AtLeast, ...op.branchIf(1)],
    ...[...op.get(local.hash), ...op.i64(2), ...op.i64ShiftLeft, ...entry(doubledAt, 0)],
    ...[...op.i64Add, ...op.tee(local.hash), ...returnIfMet(doubled, 0)],
    ...[...op.get(local.hash), ...entry(gearAt, 1), ...op.i64Add, ...op.tee(local.hash)],
    ...returnIfMet(plain, 1),
    ...[...op.get(local.at), ...op.i32(2), ...op.i32Add, ...op.set(local.at)],
    ...[...op.branch(0), ...op.end, ...op.end],
  ]
}

/** Returns the module: one function and its memory of `pages`. */
export function coreModule(pages: number): Uint8Array<ArrayBuffer> {
  const body = [
    ...rollUntil(local.easier, maskLocals.small),
    ...rollUntil(local.stop, maskLocals.large),
    ...op.i32(0),
  ]
  const parameters: Code = [i32, i32, i32, i64, i64, i64, i64]
  return moduleOf({ name: 'roll', parameters, result: i32, locals: [i64], body }, pages)
}

type Roll = (
  at: number,
  easier: number,
  stop: number,
  smallDoubled: bigint,
  small: bigint,
  largeDoubled: bigint,
  large: bigint,
) => number

/** FastCDC 2020 in WebAssembly, with `capacity` bytes of its own to cut in. */
export function createWasmFinder(
  options: CdcOptions,
  capacity: number,
): CutFinder & { readonly bytes: Uint8Array } {
  const pages = Math.ceil((dataAt + capacity) / pageBytes)
  const { memory, roll } = start<{ memory: { buffer: ArrayBuffer }; roll: Roll }>(coreModule(pages))
  const gear = makeGear(options.seed)
  new BigUint64Array(memory.buffer, gearAt, 256).set(gear)
  new BigUint64Array(memory.buffer, doubledAt, 256).set(gear.map((value) => value << 1n))
  const { small, large } = masksOf(options)
  const [smallDoubled, largeDoubled] = [small, large].map((mask) => BigInt.asUintN(64, mask << 1n))
  const bytes = new Uint8Array(memory.buffer, dataAt, capacity)
  return {
    bytes,
    find(start, end) {
      if (end - start <= options.minBytes) return end
      const { from, easier, stop, last } = stepsOf(options, start, end)
      const found = roll(
        from + dataAt,
        easier + dataAt,
        stop + dataAt,
        smallDoubled as bigint,
        small,
        largeDoubled as bigint,
        large,
      )
      return found === 0 ? last : found - dataAt
    },
  }
}
