import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { normalAddress, refusalOf } from './address.ts'
import { isRefusedPort } from './ports.ts'

/** Says which addresses may be connected to. */
export interface AddressGuard {
  /** Returns why `host`, found at `address`, must not be reached on `port`; undefined when it may. */
  refusal(host: string, address: string, port: number): string | undefined
}

type Rule = (host: string, address: string, port: number) => boolean

/**
 * Returns a guard that admits public addresses, and what `allow` opens, ports and all: `10.0.0.0/8`, `127.0.0.1`,
 * `127.0.0.1:8080`, `[::1]:8080`, `intranet.example`, `intranet.example:8080`. A name opens whatever
 * it leads to. Throws a RangeError that quotes an entry which is none of these.
 */
export function createGuard(allow: readonly string[]): AddressGuard {
  const rules = allow.map(toRule)
  return {
    refusal(host, address, port) {
      const normal = normalAddress(address) ?? address
      if (rules.some((admits) => admits(host.toLowerCase(), normal, port))) return undefined
      return refusalOf(address) ?? (isRefusedPort(port) ? `port ${port}` : undefined)
    },
  }
}

function toRule(entry: string): Rule {
  if (entry.includes('/')) return toRangeRule(entry)
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z._-]+))(?::(\d{1,5}))?$/.exec(entry)
  const [, six, other, digits] = match ?? []
  const host = (six ?? other ?? entry).toLowerCase()
  const address = isIP(host) ? normalAddress(host) : undefined
  const wanted = digits === undefined ? undefined : Number(digits)
  // `127.1` and `10` look like names; no name ends in a number, and who writes one means an address.
  const isName =
    address === undefined && match && six === undefined && !/(^|\.)(0x)?\d*\.?$/.test(host)
  if (
    (!isName && address === undefined) ||
    (wanted !== undefined && (wanted < 1 || wanted > 65_535))
  )
    throw new RangeError(`"${entry}" is no address, range or name, with or without a port`)
  return (asked, found, port) =>
    (wanted === undefined || wanted === port) &&
    (address === undefined ? asked === host : found === address)
}

function toRangeRule(entry: string): Rule {
  const [start = '', bits = '', ...more] = entry.split('/')
  if (
    !isIP(start) ||
    start.includes('%') ||
    !/^\d{1,3}$/.test(bits) ||
    more.length > 0 ||
    !ipaddr.isValidCIDR(entry)
  )
    throw new RangeError(`"${entry}" is no range of addresses`)
  const [network, length] = ipaddr.parseCIDR(entry)
  return (_host, found) => {
    if (!ipaddr.isValid(found)) return false
    const address = ipaddr.parse(found)
    if (address.kind() !== network.kind()) return false
    return address.match(network, length)
  }
}
