/**
 * Just enough of WebAssembly's binary format (Core Specification 1.0, chapter 5) to write modules of
 * one function by hand. Every function here returns bytes.
 */
export type Code = readonly number[]

export const i32 = 0x7f
export const i64 = 0x7e

/** An unsigned number in LEB128: seven bits a byte, the lowest first, the top bit says "more". */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

/** A signed 64-bit number in LEB128. */
function signedWide(value: bigint): Code {
  const rest = value >> 7n
  const low = Number(value & 0x7fn)
  const isLast = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)
  return isLast ? [low] : [low | 0x80, ...signedWide(rest)]
}

/** A signed 32-bit number in LEB128. */
function signed(value: number): Code {
  const rest = value >> 7
  const isLast = (rest === 0 && (value & 0x40) === 0) || (rest === -1 && (value & 0x40) !== 0)
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(rest)]
}

/** A list: its length and its items. */
function list(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()]
}

/** Text as a list of bytes. */
function text(value: string): Code {
  const bytes = [...Buffer.from(value)]
  return [...unsigned(bytes.length), ...bytes]
}

/** A section: its number, its length in bytes, its content. */
function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content]
}

/** What the one function of a module takes, returns and does. */
interface Function {
  readonly name: string
  readonly parameters: Code
  readonly result: number
  readonly locals: Code
  readonly body: Code
}

/** Returns a module of one function and its memory of `pages`, both exported. */
export function moduleOf(own: Function, pages: number): Uint8Array<ArrayBuffer> {
  const type = [0x60, ...list(own.parameters.map((kind) => [kind])), ...list([[own.result]])]
  const body = [...list(own.locals.map((kind) => [1, kind])), ...own.body, ...op.end]
  const memory = [...text('memory'), 2, 0]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([type])),
    ...section(3, list([[0]])),
    ...section(5, list([[0, ...unsigned(pages)]])),
    ...section(7, list([memory, [...text(own.name), 0, 0]])),
    ...section(10, list([[...unsigned(body.length), ...body]])),
  ])
}

/** What we use of the global of the same name; its types come with those of browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** Returns what a module exports. */
export function start<Exports>(module: Uint8Array<ArrayBuffer>): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(module)).exports as Exports
}

/** The instructions that are used. */
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
  /** Loads 32 bits at the address on the stack plus `offset`. */
  load32: (offset: number): Code => [0x28, 2, ...unsigned(offset)],
  /** Store the value on the stack at the address below it: one byte, 32 bits. */
  store8: [0x3a, 0, 0],
  store32: [0x36, 2, 0],
  i32: (value: number): Code => [0x41, ...signed(value)],
  i64: (value: number): Code => [0x42, ...signed(value)],
  i64Wide: (value: bigint): Code => [0x42, ...signedWide(BigInt.asIntN(64, value))],
  i32IsZero: [0x45],
  i32Equals: [0x46],
  i32Above: [0x4b],
  i32AtLeast: [0x4f],
  i32Add: [0x6a],
  i64ToI32: [0xa7],
  i32ShiftLeft: [0x74],
  i64IsZero: [0x50],
  i64OnesCount: [0x7b],
  i64Add: [0x7c],
  i64And: [0x83],
  i64Or: [0x84],
  i64Xor: [0x85],
  i64ShiftLeft: [0x86],
} as const
