import type { Clock, Log } from '@drover/kernel'
import type {} from '@fastify/swagger'
import type { FastifyReply, FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'
import type { Accounts } from '../accounts/accounts.ts'
import type { Setup } from '../accounts/setup.ts'
import type { Identity } from '../accounts/tokens.ts'
import { fault } from '../errors.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'
import type { JobStore } from '../store/job-store.ts'
import type { ScheduleStore } from '../store/schedule-store.ts'
import type { ApiOptions } from './options.ts'
import type { Submitter } from './submit.ts'

/** What the routes work with. */
export interface ApiContext {
  readonly accounts: Accounts
  readonly setup: Setup
  readonly jobs: JobStore
  readonly deliveries: DeliveryStore
  readonly schedules: ScheduleStore
  readonly submitter: Submitter
  readonly clock: Clock
  readonly log: Log
  readonly options: ApiOptions
  /** Aborts when the server closes. */
  readonly closing: AbortSignal
}

/** Returns who sent the request. Throws TOKEN_REFUSED. */
export async function identify(context: ApiContext, request: FastifyRequest): Promise<Identity> {
  const token = /^Bearer +([A-Za-z0-9._~+/=-]{1,4096})$/i.exec(request.headers.authorization ?? '')
  if (token?.[1] === undefined) throw fault('TOKEN_REFUSED', 'no bearer token')
  return context.accounts.tokens.identify(token[1])
}

/** Returns the admin who sent the request. Throws TOKEN_REFUSED, NOT_ALLOWED. */
export async function identifyAdmin(
  context: ApiContext,
  request: FastifyRequest,
): Promise<Identity> {
  const identity = await identify(context, request)
  if (identity.role !== 'admin') throw fault('NOT_ALLOWED', 'only an admin may do that')
  return identity
}

/** An admin sees everything: no owner to compare with. */
export function ownerScope({ role, userId }: Identity): string | undefined {
  return role === 'admin' ? undefined : userId
}

/** Says that nobody on the way may keep the answer: it has a secret (RFC 6749, 5.1). */
export function keepNowhere(reply: FastifyReply): void {
  reply.header('cache-control', 'no-store')
}

/** The trace that the request belongs to; undefined without one, or when it is none. */
export function traceOf({ headers }: FastifyRequest): string | undefined {
  const { traceparent } = headers
  const form = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
  return typeof traceparent === 'string' && form.test(traceparent) ? traceparent : undefined
}

/**
 * Where the request came from: what our front door says, or the other end of the connection. Unknown
 * when that is this machine, where a proxy brings the requests of everybody. An IPv6 address counts
 * as its network of 64 bits, all of which one client may have.
 */
export function clientOf({ options }: ApiContext, request: FastifyRequest): string | undefined {
  const header = options.trustForwarded ? request.headers['x-forwarded-for'] : undefined
  const list = Array.isArray(header) ? header.join(',') : (header ?? '')
  const address = list.split(',').at(-1)?.trim() || request.socket.remoteAddress
  if (address === undefined || !ipaddr.isValid(address)) return undefined
  const known = ipaddr.process(address)
  if (known.range() === 'loopback') return undefined
  if (known.kind() === 'ipv4') return known.toString()
  const network = [...known.toByteArray().slice(0, 8), 0, 0, 0, 0, 0, 0, 0, 0]
  return `${ipaddr.fromByteArray(network)}/64`
}
