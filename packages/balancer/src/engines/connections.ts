import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { groupsOf } from '../ipv6.ts'

const established = '01'

/**
 * Returns how many TCP connections of this machine lead to `host:port` now; undefined where the
 * system does not tell (no /proc, or a host that is no IP address).
 */
export async function connectionsTo(host: string, port: number): Promise<number | undefined> {
  const family = isIP(host)
  if (family === 0) return undefined
  const wanted = `${family === 4 ? hexOf4(host) : hexOf6(host)}:${hex(port, 4)}`
  try {
    const text = await readFile(family === 4 ? '/proc/net/tcp' : '/proc/net/tcp6', 'latin1')
    return countLines(text, wanted)
  } catch {
    // Another system, or one that hides it.
    return undefined
  }
}

/** The columns are: number, local address, remote address, state, ... */
function countLines(text: string, remote: string): number {
  let count = 0
  for (const line of text.split('\n')) {
    const columns = line.trim().split(/\s+/, 4)
    if (columns[2] === remote && columns[3] === established) count++
  }
  return count
}

/** Addresses stand there as 32-bit words in the machine's own order, which is little-endian here. */
function hexOf4(host: string): string {
  return host
    .split('.')
    .toReversed()
    .map((byte) => hex(Number(byte), 2))
    .join('')
}

function hexOf6(host: string): string {
  const groups = groupsOf(host).map((group) => hex(group, 4))
  const words = [0, 2, 4, 6].map((at) => `${groups[at]}${groups[at + 1]}`)
  return words.map((word) => word.match(/../g)?.toReversed().join('')).join('')
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0')
}
