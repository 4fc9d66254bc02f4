/**
 * Just enough of WebAssembly's binary format (Core Specification 1.0, chapter 5) to write one module
 * of one function by hand. Every function here returns bytes.
 */
export type Code = readonly number[]

export const i32 = 0x7f
export const i64 = 0x7e

/** An unsigned number in LEB128: seven bits a byte, the lowest first, the top bit says "more". */
export function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

/** A signed 32-bit number in LEB128. */
function signed(value: number): Code {
  const rest = value >> 7
  const isLast = (rest === 0 && (value & 0x40) === 0) || (rest === -1 && (value & 0x40) !== 0)
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(rest)]
}

/** A list: its length and its items. */
export function list(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()]
}

/** Text as a list of bytes. */
export function text(value: string): Code {
  const bytes = [...Buffer.from(value)]
  return [...unsigned(bytes.length), ...bytes]
}

/** A section: its number, its length in bytes, its content. */
export function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content]
}

/** The instructions that the core uses. */
export const op = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  ifThen: [0x04, 0x40],
  end: [0x0b],
  branch: (depth: number): Code => [0x0c, depth],
  branchIf: (depth: number): Code => [0x0d, depth],
  return: [0x0f],
  get: (local: number): Code => [0x20, local],
  set: (local: number): Code => [0x21, local],
  tee: (local: number): Code => [0x22, local],
  /** Loads 64 bits at the address on the stack plus `offset`. */
  load64: (offset: number): Code => [0x29, 3, ...unsigned(offset)],
  /** Loads one byte, as an unsigned 32-bit number. */
  load8: (offset: number): Code => [0x2d, 0, ...unsigned(offset)],
  i32: (value: number): Code => [0x41, ...signed(value)],
  i64: (value: number): Code => [0x42, ...signed(value)],
  i32AtLeast: [0x4f],
  i32Add: [0x6a],
  i32ShiftLeft: [0x74],
  i64IsZero: [0x50],
  i64Add: [0x7c],
  i64And: [0x83],
  i64ShiftLeft: [0x86],
} as const
