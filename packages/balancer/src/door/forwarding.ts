import { BlockList, isIPv6 } from 'node:net'
import type { RequestHead } from './parsing/request-head.ts'

/** Returns the test whether an address lies in one of `networks` (CIDR or single addresses). */
export function createTrust(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** Returns an address without the prefix that IPv4 clients of an IPv6 socket get. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

/**
 * Tells replicas who the client is: X-Forwarded-For, -Proto, -Host, and Forwarded (RFC 7239). What
 * a trusted proxy said is extended, anything else replaced. One object serves one connection; its
 * lines are kept for the next request with the same Host.
 */
export class Forwarding {
  /** The client's address, for limits, keys and the log: the one that a trusted proxy tells, if any. */
  readonly address: string
  readonly trusted: boolean
  readonly #proto: string
  readonly #node: string
  #host: string | undefined
  #lines = ''

  constructor(address: string, secure: boolean, trusted: boolean) {
    this.address = address
    this.trusted = trusted
    this.#proto = secure ? 'https' : 'http'
    this.#node = address.includes(':') ? `"[${address}]"` : address
  }

  /** Returns the header lines for one request. */
  lines(head: RequestHead): string {
    if (this.trusted) return this.#extended(head)
    if (head.host !== this.#host) {
      this.#host = head.host
      this.#lines =
        `x-forwarded-for: ${this.address}\r\nx-forwarded-proto: ${this.#proto}\r\n` +
        `x-forwarded-host: ${head.host}\r\nforwarded: ${this.#element(head)}\r\n`
    }
    return this.#lines
  }

  /** The address that keys and limits count by: the nearest one that is not a trusted proxy's. */
  clientOf(head: RequestHead, trust: (address: string) => boolean): string {
    if (!this.trusted || head.forwardedFor === '') return this.address
    const hops = head.forwardedFor.split(',').map((hop) => hop.trim())
    const nearest = hops.findLast((hop) => !isAddress(hop) || !trust(hop)) ?? ''
    // What stands before a hop that is no address could be made up by the client.
    return isAddress(nearest) ? nearest : this.address
  }

  #extended(head: RequestHead): string {
    const chain = head.forwardedFor === '' ? '' : `${head.forwardedFor}, `
    const elements = head.forwarded === '' ? '' : `${head.forwarded}, `
    return (
      `x-forwarded-for: ${chain}${this.address}\r\n` +
      `x-forwarded-proto: ${head.forwardedProto || this.#proto}\r\n` +
      `x-forwarded-host: ${head.forwardedHost || head.host}\r\n` +
      `forwarded: ${elements}${this.#element(head)}\r\n`
    )
  }

  #element(head: RequestHead): string {
    const host = /^[\w!#$%&'*+.^`|~-]+$/.test(head.host) ? head.host : `"${head.host}"`
    return `for=${this.#node};host=${host};proto=${this.#proto}`
  }
}

function isAddress(text: string): boolean {
  return isIPv6(text) || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)
}
