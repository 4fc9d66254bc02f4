import { hash } from 'node:crypto'

/** Bytes of a SHA-256. */
export const sumBytes = 32

/**
 * Puts the SHA-256 of `bytes` into `target` at `at`. By way of a string of Latin-1: a buffer of its own
 * for each sum takes twice as long.
 */
export function putSum(bytes: Uint8Array, target: Buffer, at: number): void {
  target.write(hash('sha256', bytes, 'binary'), at, sumBytes, 'latin1')
}
