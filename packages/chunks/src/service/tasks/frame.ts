import { fault } from '../../errors.ts'

/** Bytes of the head's length. */
const lengthBytes = 4
const headBytesMax = 4 * 2 ** 20

/**
 * A task or its answer on the wire:
 *
 *   0             4        4 + length
 *   │ length, LE  │ JSON   │ payload …
 */
export function encodeFrame(head: object, payload: readonly Uint8Array[]): Buffer {
  return Buffer.concat([encodeHead(head), ...payload])
}

/** The frame without its payload, which may be sent after it as it is. */
export function encodeHead(head: object): Buffer {
  const json = Buffer.from(JSON.stringify(head))
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32LE(json.length)
  return Buffer.concat([length, json])
}

/** Takes a frame apart; the payload is not copied. Throws TASK_FAILED when it is none. */
export function decodeFrame(bytes: Buffer): { head: Record<string, unknown>; payload: Buffer } {
  const length = bytes.length >= lengthBytes ? bytes.readUInt32LE() : headBytesMax + 1
  if (length > headBytesMax || lengthBytes + length > bytes.length)
    throw fault('TASK_FAILED', 'a task or its answer is cut short')
  const end = lengthBytes + length
  return {
    head: JSON.parse(bytes.toString('utf8', lengthBytes, end)),
    payload: bytes.subarray(end),
  }
}
