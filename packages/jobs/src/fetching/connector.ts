import { lookup as systemLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type Clock, Fault, withDeadline } from '@drover/kernel'
import type { buildConnector } from 'undici'
import { fault } from '../errors.ts'
import type { AddressGuard } from './guard.ts'
import { undici } from './undici.ts'

/** Finds every address of a name. */
export type Lookup = (host: string) => Promise<readonly string[]>

/** Finds addresses as the system does, its hosts file included. */
export const lookupAll: Lookup = async (host) =>
  (await systemLookup(host, { all: true, verbatim: true })).map(({ address }) => address)

export interface ConnectorOptions {
  readonly guard: AddressGuard
  readonly lookup: Lookup
  readonly clock: Clock
  readonly lookupMs: number
  readonly connectMs: number
}

/** Addresses of one name that are tried, one after the other. */
const addressesMax = 4

/**
 * Returns how undici connects: the name is looked up once, every address of it is judged, and the
 * connection goes to a judged address and never to the name. So a name that changes its address
 * between look-up and connection gains nothing, and a host that is an address by itself is judged
 * like any other (undici's own look-up hook never sees those).
 */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const { guard, connectMs } = options
  const connect = undici().buildConnector({
    timeout: connectMs,
    allowH2: true,
    autoSelectFamily: false,
  })
  return (target, callback) => {
    void open().then(
      (socket) => callback(null, socket),
      (error) => callback(error, null),
    )

    async function open(): Promise<Socket> {
      const host = target.hostname.replace(/^\[|\]$/g, '')
      const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80)
      const addresses = await admittedAddresses(host, port, options)
      const socket = await connectToAny(connect, target, host, addresses)
      const { remoteAddress: reached, remotePort = 0 } = socket
      const refusal = reached === undefined ? '' : guard.refusal(host, reached, remotePort)
      if (refusal === undefined) return socket
      socket.destroy()
      // Broken again before anybody could ask whom it reached.
      if (reached === undefined) throw fault('HOST_FAILED', `${host} broke the connection`)
      throw refused(host, reached, refusal)
    }
  }
}

/** Takes the addresses in turn. Throws what the last one failed with. */
async function connectToAny(
  connect: buildConnector.connector,
  target: buildConnector.Options,
  host: string,
  addresses: readonly string[],
): Promise<Socket> {
  const servername = target.servername || (isIP(host) ? undefined : host)
  const named = { ...target, ...(servername === undefined ? {} : { servername }) }
  let last: unknown
  for (const hostname of addresses.slice(0, addressesMax)) {
    try {
      return await connectOnce(connect, { ...named, hostname })
    } catch (error) {
      last = error
    }
  }
  throw last
}

type Socket = Exclude<Parameters<buildConnector.Callback>[0 | 1], Error | null>

function connectOnce(
  connect: buildConnector.connector,
  target: buildConnector.Options,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    connect(target, (error, socket) => {
      if (socket) resolve(socket)
      else reject(error)
    })
  })
}

/** One address that must not be reached spoils the name: nobody means both. */
async function admittedAddresses(
  host: string,
  port: number,
  options: ConnectorOptions,
): Promise<readonly string[]> {
  const addresses = isIP(host) ? [host] : await find(host, options)
  if (addresses.length === 0) throw fault('HOST_UNKNOWN', `${host} has no address`)
  for (const address of addresses) {
    const refusal = options.guard.refusal(host, address, port)
    if (refusal !== undefined) throw refused(host, address, refusal)
  }
  return addresses
}

async function find(host: string, options: ConnectorOptions): Promise<readonly string[]> {
  const { lookup, lookupMs, clock } = options
  try {
    return await withDeadline(`the look-up of ${host}`, lookupMs, clock, lookup(host))
  } catch (cause) {
    if (cause instanceof Fault) throw fault('FETCH_TIMEOUT', cause.message, { cause })
    throw fault('HOST_UNKNOWN', `${host} has no address`, { cause })
  }
}

function refused(host: string, address: string, reason: string): Fault {
  const place = host === address ? host : `${host} at ${address}`
  return fault('ADDRESS_REFUSED', `${place} must not be reached from here (${reason})`)
}
