import ipaddr from 'ipaddr.js'

/** Public by their range, yet they answer only to the machines of one cloud. */
const metadataAddresses = new Set(['168.63.129.16'])

/** All of IPv6 that has been given out to the public Internet (RFC 4291, section 2.4). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Returns why `address` must not be reached from here, or undefined when it is a public one. It must
 * be an address as the system writes it; anything else is refused as `no address`. IPv4 inside
 * IPv6 is judged as the IPv4 address that it stands for.
 */
export function refusalOf(address: string): string | undefined {
  if (!ipaddr.isValid(address) || !/^[0-9a-fA-F.:]+$/.test(address)) return 'no address'
  const parsed = ipaddr.process(address)
  if (metadataAddresses.has(parsed.toString())) return 'metadata'
  const range = parsed.range()
  if (range !== 'unicast') return range
  return parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast) ? 'reserved' : undefined
}

/** Returns `address` in its one normal form, IPv4 taken out of IPv6; undefined when it is none. */
export function normalAddress(address: string): string | undefined {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : undefined
}
