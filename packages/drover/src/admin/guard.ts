import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { faults, kernelFaults } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { isLoopbackHost } from '../config/hosts.ts'
import { fault } from '../errors.ts'

/** Who may call the admin API. */
export interface GuardOptions {
  /** Clients must show it as `Authorization: Bearer`; undefined on loopback only. */
  readonly token: string | undefined
  /** Names beside localhost by which it may be called. */
  readonly hosts: readonly string[]
}

const kernelFault = faults(kernelFaults)

/**
 * Guards every route but those of `isOpen`. A web page that somebody on this machine looks at can send requests
 * to loopback: its own name in Origin (CSRF), or a name of its making in Host (DNS rebinding), gives
 * it away. With a token, only who knows it gets in, and any Host will do.
 */
export function guard(
  server: FastifyInstance,
  options: GuardOptions,
  isOpen = (path: string): boolean => path === '/healthz',
): void {
  server.addHook('onRequest', async ({ url, headers }) => {
    if (!isOpen(url.split('?')[0] ?? '')) admit(headers, options)
  })
}

/** Throws FOREIGN_ORIGIN or UNAUTHORIZED for a call that may not be made. */
export function admit(headers: IncomingHttpHeaders, { token, hosts }: GuardOptions): void {
  checkOrigin(headers)
  if (token === undefined) checkHost(headers, hosts)
  else checkToken(headers, token)
}

function checkOrigin(headers: IncomingHttpHeaders): void {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  const foreign = origin !== undefined && hostOf(origin) !== host?.toLowerCase()
  if (!foreign && site !== 'cross-site') return
  const message = `a page of ${origin ?? 'another site'} may not call the admin API`
  throw fault('FOREIGN_ORIGIN', message)
}

function checkHost(headers: IncomingHttpHeaders, hosts: readonly string[]): void {
  const host = hostNameOf(headers.host ?? '')
  if (isLoopbackHost(host) || isIP(host) !== 0) return
  if (hosts.some((known) => known.toLowerCase() === host)) return
  const message = `the admin API is not called "${host}"; admin.hosts lists its names`
  throw fault('FOREIGN_ORIGIN', message)
}

/** Compares digests of equal length in constant time, so that nothing of the token leaks. */
function checkToken(headers: IncomingHttpHeaders, token: string): void {
  const shown = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  const digest = (text: string) => createHash('sha256').update(text).digest()
  if (shown !== undefined && timingSafeEqual(digest(shown), digest(token))) return
  const problem = shown === undefined ? 'needs "Authorization: Bearer TOKEN"' : 'has another token'
  throw kernelFault('UNAUTHORIZED', `the admin API ${problem}`)
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

/** The name without port and brackets, in small letters. */
function hostNameOf(host: string): string {
  return host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
}
