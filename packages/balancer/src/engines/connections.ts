import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

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
  return (
    groupsOf6(host)
      .join('')
      .match(/.{8}/g)
      ?.map((four) => four.match(/../g)?.toReversed().join(''))
      .join('')
      .toUpperCase() ?? ''
  )
}

/** The eight groups of an IPv6 address, four digits each. */
function groupsOf6(host: string): string[] {
  const canonical = new URL(`http://[${host}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array<string>(missing).fill('0'), ...right].map((one) => one.padStart(4, '0'))
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0')
}
