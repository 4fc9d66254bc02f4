import { isIP } from 'node:net'
import { type createHttpServer, type Static, Type } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { NeighbourView } from '../flood/neighbours.ts'
import type { HerdNode } from '../flood/node.ts'

const peerName = Type.Object({ name: Type.String() })
const cut = Type.Object({ cut: Type.Boolean() }, { additionalProperties: false })

/** How it stands with a neighbour, as the HTTP API tells of it. */
export type LinkView = ReturnType<typeof describeLink>

/** Returns how it stands with every neighbour. */
export function describeLinks(node: HerdNode): LinkView[] {
  return node.neighbours.map(describeLink)
}

/** Adds the routes that tell of the neighbours, and the switch that cuts a link. */
export function addLinkRoutes(
  server: Awaited<ReturnType<typeof createHttpServer>>,
  node: HerdNode,
): void {
  server.get('/v1/links', () => ({
    server: node.identity.name,
    links: describeLinks(node),
  }))

  const schema = { params: peerName, body: cut }
  server.post('/v1/links/:name/cut', { schema }, (request) => {
    if (!isLoopback(request.ip))
      throw fault('HERD_FOREIGN', 'links are cut from this machine only: it is for demonstrations')
    const { name } = request.params as Static<typeof peerName>
    if (!node.neighbours.some((neighbour) => neighbour.name === name))
      throw fault('HERD_UNKNOWN', `${node.identity.name} has no neighbour "${name}"`)
    node.cut(name, (request.body as Static<typeof cut>).cut)
    const neighbour = node.neighbours.find((view) => view.name === name)
    return neighbour ? describeLink(neighbour) : { peer: name, isLinked: false, isCut: false }
  })
}

function describeLink(view: NeighbourView) {
  const { link } = view
  const {
    sentRecords = 0,
    receivedRecords = 0,
    sentBytes = 0,
    receivedBytes = 0,
  } = link?.counts ?? {}
  return {
    peer: view.name,
    isLinked: link !== undefined,
    isCut: view.isCut,
    sinceMs: view.sinceMs ?? null,
    isDialled: link?.isDialled ?? false,
    isSlow: link?.isSlow ?? false,
    waiting: link?.waiting ?? 0,
    rttMs: link?.rttMs ?? null,
    sentRecords,
    receivedRecords,
    sentBytes,
    receivedBytes,
    attempts: view.attempts,
    reason: view.reason ?? null,
  }
}

function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  return isIP(plain) === 4 ? plain.startsWith('127.') : plain === '::1'
}
