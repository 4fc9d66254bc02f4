import { isIPv6 } from 'node:net'

/**
 * Returns the eight 16-bit groups of an IPv6 address; of one with a zone (`fe80::1%eth0`) those of
 * the address alone. Eight zeros, the unspecified address, stand for anything else.
 */
export function groupsOf(address: string): number[] {
  const [bare = ''] = address.split('%')
  if (!isIPv6(bare)) return new Array<number>(8).fill(0)
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1)
  const [left = [], right = []] = canonical.split('::').map(groupsIn)
  const zeros = new Array<number>(8 - left.length - right.length).fill(0)
  return [...left, ...zeros, ...right]
}

function groupsIn(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}
