import { isIP } from 'node:net'
import { parseAddress } from '@drover/kernel'

/** Holds when only this machine can reach `address`. */
export function isLoopback(address: string): boolean {
  return isLoopbackHost(parseAddress(address).host)
}

/** Holds for `localhost`, 127.0.0.0/8 and ::1. */
export function isLoopbackHost(host: string): boolean {
  return (
    host.toLowerCase() === 'localhost' ||
    host === '::1' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  )
}

/** Holds for a host that stands for every interface. */
export function isEveryInterface(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}
