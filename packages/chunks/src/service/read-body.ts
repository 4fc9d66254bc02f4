import type { IncomingMessage } from 'node:http'
import { fault } from '../errors.ts'
import type { BufferPool } from './buffer-pool.ts'
import { sweepYoung } from './sweep.ts'

/**
 * Reads a body of known length into a buffer of the pool; returns the buffer and the bytes in it.
 * Throws TASK_FAILED when the body has no length, is over `bytesMax`, or is cut short.
 */
export function readBody(
  message: IncomingMessage,
  pool: BufferPool,
  bytesMax: number,
): Promise<{ whole: Buffer; bytes: Buffer }> {
  const length = Number(message.headers['content-length'] ?? Number.NaN)
  if (!(length <= bytesMax))
    return Promise.reject(fault('TASK_FAILED', `a body has no length, or over ${bytesMax} bytes`))
  const whole = pool.take(length)
  let used = 0
  return new Promise((resolve, reject) => {
    message.on('data', (part: Buffer) => {
      used += part.copy(whole, used)
      sweepYoung(part.length)
    })
    message.once('end', () => resolve({ whole, bytes: whole.subarray(0, length) }))
    message.once('error', reject)
    message.once('close', () => {
      if (used < length) reject(fault('TASK_FAILED', 'a body is cut short'))
    })
  })
}
