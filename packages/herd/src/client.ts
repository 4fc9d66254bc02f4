import { connect } from 'node:net'
import { type Address, formatAddress, systemClock } from '@drover/kernel'
import { fault } from './errors.ts'
import { WallClock } from './wall-clock.ts'

const deadlineMs = 15_000
const answerBytesMax = 4 * 1_048_576

/** Where a client tells and asks. */
export interface HerdClient {
  readonly address: Address
  readonly client: string
}

/**
 * Tells a server where a client is, as `+34.068930-118.445127`, now or at `time` (POSIX seconds); the
 * answer is its line. Throws HERD_SILENT.
 */
export function sayToHerd(to: HerdClient, location: string, time?: string): Promise<string> {
  return exchange(to.address, `IAMAT ${to.client} ${location} ${time ?? presentTime()}\n`)
}

function presentTime(): string {
  const now = { seconds: 0, nanos: 0 }
  new WallClock(systemClock).read(now)
  return `${now.seconds}.${String(now.nanos).padStart(9, '0')}`
}

/** Asks a server for at most `bound` places within `radiusKm` of a client. Throws HERD_SILENT. */
export function askHerd(to: HerdClient, radiusKm: number, bound: number): Promise<string> {
  return exchange(to.address, `WHATSAT ${to.client} ${radiusKm} ${bound}\n`)
}

/** Sends a line, closes the own side, and returns everything that comes until the other closes. */
function exchange(address: Address, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const socket = connect(address)
    const fail = (cause: unknown) => {
      socket.destroy()
      reject(fault('HERD_SILENT', `${formatAddress(address)} gives no answer`, { cause }))
    }
    socket.setTimeout(deadlineMs, () => fail(new Error('too late')))
    socket.on('error', fail)
    socket.on('connect', () => socket.end(Buffer.from(line, 'utf8')))
    socket.on('data', (chunk) => {
      bytes += chunk.length
      if (bytes > answerBytesMax) fail(new Error('the answer is too long'))
      else chunks.push(chunk)
    })
    socket.on('end', () => {
      if (bytes > 0) resolve(Buffer.concat(chunks).toString('utf8'))
      else fail(new Error('it closed without a word'))
    })
  })
}
