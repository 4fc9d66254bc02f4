import { type IncomingHttpHeaders, type IncomingMessage, request as send } from 'node:http'
import type { Duplex } from 'node:stream'
import { describeError, faults, kernelFaults } from '@drover/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fault } from '../errors.ts'
import type { System } from '../system.ts'

/** A replica that a call goes to. */
interface Target {
  readonly host: string
  readonly port: number
}

/** A call of `/parts/SERVICE/PATH`. */
export type PartRequest = FastifyRequest<{ Params: { service: string; '*': string } }>

/** Where the parts are below the admin API. */
export const partsBase = '/parts'

const kernelFault = faults(kernelFaults)
/** A part that says nothing for so long, in ms, does not answer; streams of events say something. */
const silenceMsMax = 120_000

/**
 * Headers that belong to one connection, and those that are the admin API's own business: its token
 * and what a browser says of the page are not for a part.
 */
const notPassed = new Set(
  'connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade host authorization x-part-authorization origin referer cookie set-cookie expect'.split(
    ' ',
  ),
)

/**
 * What a part sends may come from a stranger's page. Opened by itself in a browser it must not act
 * as a page of this origin.
 */
const shield = { 'content-security-policy': 'sandbox', 'x-content-type-options': 'nosniff' }

/**
 * Passes a call to a ready replica of the part, and its answer back. Throws UNKNOWN_SERVICE, and
 * PART_UNAVAILABLE when no replica is ready, or the one that is does not answer.
 */
export async function passRequest(
  system: System,
  request: PartRequest,
  reply: FastifyReply,
): Promise<void> {
  const { service } = request.params
  const target = await findTarget(system, service)
  const path = request.url.slice(`${partsBase}/${encodeURIComponent(service)}`.length)
  const outgoing = send({
    ...{ host: target.host, port: target.port, method: request.method, path },
    headers: passedHeaders(request.headers),
    timeout: silenceMsMax,
  })
  outgoing.on('timeout', () => outgoing.destroy(new Error(`silent for ${silenceMsMax} ms`)))
  reply.raw.once('close', () => outgoing.destroy())
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.once('error', reject)
  })
  request.raw.pipe(outgoing)
  const incoming = await answer.catch((cause: unknown) => {
    const message = `${service} did not answer: ${describeError(cause)}`
    throw fault('PART_UNAVAILABLE', message, { cause })
  })
  reply.hijack()
  reply.raw.writeHead(incoming.statusCode ?? 502, {
    ...keptHeaders(incoming.headers),
    ...shield,
  })
  reply.raw.flushHeaders()
  // A part that breaks off breaks the answer off, so that nobody takes it for whole.
  incoming.once('error', () => reply.raw.destroy())
  incoming.pipe(reply.raw)
}

function passedHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const token = headers['x-part-authorization']
  return {
    ...keptHeaders(headers),
    ...(typeof token === 'string' ? { authorization: token } : {}),
    // A body of unknown length needs its framing anew.
    ...(headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }),
  }
}

function keptHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !notPassed.has(name)))
}

/**
 * Passes WebSockets to parts. `admit` throws for who may not call; fastify's hooks see no upgrades.
 */
export function passUpgrades(
  server: FastifyInstance,
  system: System,
  admit: (headers: IncomingHttpHeaders) => void,
): void {
  server.server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    upgrade(system, request, socket, head, admit).catch((error: unknown) => {
      const status = statusOf(error)
      socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    })
  })
}

function statusOf(error: unknown): number {
  const { status } = error as { status?: unknown }
  return typeof status === 'number' ? status : 502
}

async function upgrade(
  system: System,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  admit: (headers: IncomingHttpHeaders) => void,
): Promise<void> {
  admit(request.headers)
  const [, service = '', path] = /^\/parts\/([^/?]+)(\/.*)$/.exec(request.url ?? '') ?? []
  if (path === undefined) throw kernelFault('NOT_FOUND', 'only parts take WebSockets')
  const target = await findTarget(system, decodeURIComponent(service))
  const headers = { ...passedHeaders(request.headers), connection: 'upgrade', upgrade: 'websocket' }
  const outgoing = send({ ...target, path, headers, timeout: silenceMsMax })
  await new Promise<void>((resolve, reject) => {
    outgoing.once('error', reject)
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer to the upgrade')))
    outgoing.once('response', (incoming) => {
      incoming.resume()
      reject(fault('PART_UNAVAILABLE', `it answered ${incoming.statusCode}`))
    })
    outgoing.once('upgrade', (answer, upstream, upstreamHead) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${rawLines(answer)}\r\n`)
      socket.write(upstreamHead)
      upstream.write(head)
      join(socket, upstream)
      resolve()
    })
    outgoing.end()
  })
}

/** The ready replica with the least under way. Throws UNKNOWN_SERVICE, PART_UNAVAILABLE. */
async function findTarget(system: System, service: string): Promise<Target> {
  const { part } = system.config.services[service] ?? {}
  if (part === undefined)
    throw fault('UNKNOWN_SERVICE', `"${service}" is no part; GET /v1/parts lists them`)
  const { services } = await system.balancer.status()
  const ready = services
    .find(({ name }) => name === service)
    ?.replicas.filter(({ state }) => isReady(state))
  const [target] = (ready ?? []).toSorted((one, other) => one.inFlight - other.inFlight)
  if (!target) throw fault('PART_UNAVAILABLE', `no replica of ${service} is ready`)
  return target
}

/** Whether a replica in this state takes calls. */
export const isReady = (state: string) => state === 'ready' || state === 'slow-start'

function rawLines({ rawHeaders }: IncomingMessage): string {
  let lines = ''
  for (let at = 0; at < rawHeaders.length; at += 2)
    lines += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`
  return lines
}

/** What ends on one side ends on the other. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to)
    from.once('error', () => to.destroy())
    from.once('close', () => to.destroy())
  }
}
