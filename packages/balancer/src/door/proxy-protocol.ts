import { isIPv4, isIPv6, type Socket } from 'node:net'
import { groupsOf } from '../ipv6.ts'
import { type Deadlines, Timed } from './deadlines.ts'
import { plainAddress } from './forwarding.ts'

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const headerBytesMax = 536
/** The longest line of version 1, its CRLF included. */
const lineBytesMax = 107

/** What a PROXY header told: the client's address (empty for a health check), and the bytes behind. */
export interface ProxyTold {
  readonly address: string
  readonly rest: Buffer
}

/**
 * Reads a PROXY protocol header, version 1 or 2 (haproxy.org, proxy-protocol.txt), from the start
 * of `bytes`. Returns undefined while it is incomplete, and `broken` when it is none.
 */
export function parseProxyHeader(bytes: Buffer): ProxyTold | 'broken' | undefined {
  const start = bytes.subarray(0, signature.length)
  if (start.equals(signature.subarray(0, start.length))) return parseBinary(bytes)
  return parseText(bytes)
}

function parseBinary(bytes: Buffer): ProxyTold | 'broken' | undefined {
  if (bytes.length < 16) return undefined
  const kind = bytes[12] ?? 0
  const family = (bytes[13] ?? 0) >> 4
  const length = bytes.readUInt16BE(14)
  if (kind >> 4 !== 2 || (kind & 15) > 1 || length > headerBytesMax) return 'broken'
  if (bytes.length < 16 + length) return undefined
  const rest = bytes.subarray(16 + length)
  if ((kind & 15) === 0) return { address: '', rest }
  if (family === 1 && length >= 12) return { address: bytes.subarray(16, 20).join('.'), rest }
  if (family === 2 && length >= 36) return { address: formatIPv6(bytes.subarray(16, 32)), rest }
  return family === 1 || family === 2 ? 'broken' : { address: '', rest }
}

function parseText(bytes: Buffer): ProxyTold | 'broken' | undefined {
  const known = bytes.toString('latin1', 0, Math.min(bytes.length, lineBytesMax))
  const end = known.indexOf('\r\n')
  if (!'PROXY '.startsWith(known.slice(0, 6))) return 'broken'
  if (end < 0) return bytes.length >= lineBytesMax ? 'broken' : undefined
  const rest = bytes.subarray(end + 2)
  if (/^PROXY UNKNOWN(?: |$)/.test(known.slice(0, end))) return { address: '', rest }
  const address = readAddress(known.slice(0, end).split(' '))
  return address === undefined ? 'broken' : { address, rest }
}

/** The client's address out of the words of a line; undefined when one of them is wrong. */
function readAddress(words: readonly string[]): string | undefined {
  const [, family, source = '', target = '', sourcePort = '', targetPort = '', more] = words
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6
  const fits = (family === 'TCP4' || family === 'TCP6') && isAddress(source) && isAddress(target)
  return fits && isPort(sourcePort) && isPort(targetPort) && more === undefined
    ? plainAddress(source)
    : undefined
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535
}

/** IPv4 addresses in their IPv6 form become plain ones, as everywhere else. */
function formatIPv6(bytes: Buffer): string {
  if (bytes.subarray(0, 12).equals(mappedStart)) return bytes.subarray(12).join('.')
  const groups: string[] = []
  for (let at = 0; at < 16; at += 2) groups.push(bytes.readUInt16BE(at).toString(16))
  return groups.join(':')
}

const mappedStart = Buffer.from('00000000000000000000ffff', 'hex')

/** Waits for a PROXY header on a socket that was accepted paused. */
class HeaderWait extends Timed {
  readonly #socket: Socket
  readonly #deadlines: Deadlines
  readonly #done: (told: ProxyTold | undefined) => void
  #held = Buffer.alloc(0)

  constructor(socket: Socket, deadlines: Deadlines, done: (told: ProxyTold | undefined) => void) {
    super()
    this.#socket = socket
    this.#deadlines = deadlines
    this.#done = done
    socket.on('data', this.#read)
    socket.on('error', this.#fail)
    socket.on('close', this.#fail)
    deadlines.add(this)
    socket.resume()
  }

  override expire(): void {
    this.#fail()
  }

  readonly #read = (bytes: Buffer): void => {
    this.#held = Buffer.concat([this.#held, bytes])
    const told = parseProxyHeader(this.#held)
    if (told === undefined) return
    if (told === 'broken') this.#fail()
    else this.#end(told)
  }

  readonly #fail = (): void => {
    this.#end(undefined)
    this.#socket.destroy()
  }

  #end(told: ProxyTold | undefined): void {
    this.#deadlines.remove(this)
    this.#socket.pause()
    this.#socket.off('data', this.#read).off('error', this.#fail).off('close', this.#fail)
    // It is about to be closed: what still goes wrong with it is nobody's matter.
    if (told === undefined) this.#socket.on('error', () => {})
    this.#done(told)
  }
}

/** Reads the PROXY header of `socket`; `done` gets undefined (and the socket is closed) without one. */
export function readProxyHeader(
  socket: Socket,
  deadlines: Deadlines,
  timeoutMs: number,
  done: (told: ProxyTold | undefined) => void,
): void {
  new HeaderWait(socket, deadlines, done).deadlineMs = deadlines.in(timeoutMs)
}

/** Two ends of a connection, as a PROXY header tells them. */
export interface ProxyEnds {
  readonly source: string
  readonly sourcePort: number
  readonly target: string
  readonly targetPort: number
}

/** Returns the PROXY protocol v2 header that tells a replica about a TCP client. */
export function proxyHeader(ends: ProxyEnds): Buffer {
  const v4 = isIPv4(ends.source) && isIPv4(ends.target)
  const addresses = v4
    ? [...addressBytes4(ends.source), ...addressBytes4(ends.target)]
    : [...addressBytes6(ends.source), ...addressBytes6(ends.target)]
  const header = Buffer.alloc(16 + addresses.length + 4)
  signature.copy(header)
  header[12] = 0x21
  header[13] = v4 ? 0x11 : 0x21
  header.writeUInt16BE(addresses.length + 4, 14)
  header.set(addresses, 16)
  header.writeUInt16BE(ends.sourcePort, 16 + addresses.length)
  header.writeUInt16BE(ends.targetPort, 18 + addresses.length)
  return header
}

function addressBytes4(address: string): number[] {
  return address.split('.').map(Number)
}

/** An IPv4 address becomes its mapped form. */
function addressBytes6(address: string): number[] {
  const groups = groupsOf(isIPv4(address) ? `::ffff:${address}` : address)
  return groups.flatMap((group) => [group >> 8, group & 255])
}
