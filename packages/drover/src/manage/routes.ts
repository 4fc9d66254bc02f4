import { Fault } from '@drover/kernel'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { fault } from '../errors.ts'
import { type Change, readChange } from './change.ts'

/** The replicas that the classroom API changes. */
export interface Managed {
  /** Names of those that run and are not on their way out, in the order they came. */
  names(): readonly string[]
  add(count: number, names: readonly string[]): Promise<unknown>
  remove(count: number, names: readonly string[]): Promise<unknown>
}

/** An answer of the contract; the order of its keys is part of it. */
type Answer =
  | {
      readonly message: { readonly N: number; readonly replicas: readonly string[] }
      readonly status: 'successful'
    }
  | { readonly message: string; readonly status: 'failure' }

/**
 * Mounts the management API of the "customizable load balancer" course below `prefix`:
 *
 *   GET /rep             who runs
 *   POST /add            n more, the first with the given hostnames
 *   DELETE or POST /rm   n fewer, those of the given hostnames first, others at random
 *
 * `managedFor` finds the replicas of a request, from the route's parameters if it has any.
 */
export function mountManage(
  server: FastifyInstance,
  prefix: string,
  managedFor: (params: Record<string, string>) => Managed,
): void {
  void server.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, parsed) =>
      parsed(null, body),
    )
    scope.setErrorHandler((error, _request, reply) => refuse(error as Error, reply))
    const path = prefix.replace(/\/+$/, '')
    const params = (request: { params: unknown }) => request.params as Record<string, string>
    const schema = { tags: ['classroom'] }

    scope.get(`${path}/rep`, { schema }, (request) => listing(managedFor(params(request))))
    scope.post(`${path}/add`, { schema }, async (request) => {
      const managed = managedFor(params(request))
      const { n, hostnames } = bounded(readChange(textOf(request.body)), 'newly added')
      await managed.add(n, hostnames)
      return listing(managed)
    })
    scope.route({
      method: ['DELETE', 'POST'],
      url: `${path}/rm`,
      schema,
      handler: async (request) => {
        const managed = managedFor(params(request))
        const { n, hostnames } = bounded(readChange(textOf(request.body)), 'removable')
        await managed.remove(n, hostnames)
        return listing(managed)
      },
    })
    done()
  })
}

function listing(managed: Managed): Answer {
  const replicas = managed.names()
  return { message: { N: replicas.length, replicas }, status: 'successful' }
}

/** The contract's own words for a list of names that is longer than the number asked for. */
function bounded(change: Change, which: 'newly added' | 'removable'): Change {
  if (change.hostnames.length <= change.n) return change
  const message = `Length of hostname list is more than ${which} instances`
  throw fault('MANAGE_REFUSED', message)
}

/** Whatever was refused is 400 in this contract; only what nobody foresaw is 500. */
function refuse(error: Error & { statusCode?: number }, reply: FastifyReply): FastifyReply {
  const expected = error instanceof Fault || (error.statusCode ?? 500) < 500
  const message = expected ? error.message : 'something failed here; the log says what'
  const answer: Answer = { message: `<Error> ${message}`, status: 'failure' }
  // Whoever may not ask at all has not come as far as the contract.
  const kept = error instanceof Fault && [401, 403].includes(error.status) ? error.status : 400
  return reply.status(expected ? kept : 500).send(answer)
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : ''
}
