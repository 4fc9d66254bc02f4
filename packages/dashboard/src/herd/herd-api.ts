import type { Part } from '../client/admin.ts'
import { createPartClient, type PartClient } from '../client/part.ts'
import type { Box } from './projection.ts'

/** A client as a server tells of it. */
export interface Client {
  readonly client: string
  readonly latitude: number
  readonly longitude: number
  /** Who heard it. */
  readonly server: string
  /** That server's clock minus the client's, as `+0.26`. */
  readonly difference: string
  readonly time: string
  readonly heardAtMs: number
}

/** How it stands with a neighbour, as one end tells of it. */
export interface Link {
  readonly peer: string
  readonly isLinked: boolean
  readonly isCut: boolean
  readonly sinceMs: number | null
  readonly isSlow: boolean
  readonly waiting: number
  readonly rttMs: number | null
  readonly sentRecords: number
  readonly receivedRecords: number
  readonly reason: string | null
}

interface Place {
  readonly latitude: number
  readonly longitude: number
}

export interface Circle extends Place {
  readonly radiusKm: number
}

export interface Fence {
  readonly id: string
  readonly circle?: Circle
  readonly box?: Box
  readonly inside: number
  readonly entered: number
  readonly left: number
}

/** Somebody entered a fence, moved in it or left it. */
export interface Crossing extends Client {
  readonly fence: string
  readonly event: string
}

/** One server of the herd, as it is now. */
export interface Server {
  /** The service of drover.yaml, which parts are called by. */
  readonly service: string
  /** What it calls itself; undefined while it does not answer. */
  readonly name: string | undefined
  readonly links: readonly Link[]
}

/** Reads who is linked with whom from every server; one that does not answer has no name. */
export function readServers(parts: readonly Part[]): Promise<Server[]> {
  return Promise.all(
    parts.map(async (part) => {
      const { service } = part
      const silent = { service, name: undefined, links: [] }
      if (!part.replicas.some(({ ready }) => ready)) return silent
      const { server, links } = await createPartClient(part)
        .get<{ server: string; links: Link[] }>('/v1/links')
        .catch(() => ({ server: undefined, links: [] }))
      return { service, name: server, links }
    }),
  )
}

export const readFences = async (herd: PartClient) =>
  (await herd.get<{ fences: Fence[] }>('/v1/fences')).fences

export const cutLink = (herd: PartClient, peer: string, cut: boolean) =>
  herd.post(`/v1/links/${encodeURIComponent(peer)}/cut`, { cut })

export const addFence = (
  herd: PartClient,
  fence: { readonly id?: string } & ({ readonly circle: Circle } | { readonly box: Box }),
) => herd.post<Fence>('/v1/fences', fence)

export const removeFence = (herd: PartClient, id: string) =>
  herd.remove(`/v1/fences/${encodeURIComponent(id)}`)

/** Says a line of the protocol, and resolves to the answer. */
async function say(herd: PartClient, line: string): Promise<string> {
  const { answer } = await herd.post<{ answer: string }>('/v1/lines', { line })
  if (answer.startsWith('? ')) throw new Error(`the server does not take this line: ${line}`)
  return answer
}

/** Says where a client is: `IAMAT kiwi +34.068930-118.445127 1621464827.959`. */
export function sayPlace(
  herd: PartClient,
  client: string,
  place: Place,
  atMs: number,
): Promise<string> {
  const location = formatDegrees(place.latitude) + formatDegrees(place.longitude)
  return say(herd, `IAMAT ${client} ${location} ${(atMs / 1_000).toFixed(3)}`)
}

/** Asks what is near a client; resolves to the places' names. */
export async function askPlaces(
  herd: PartClient,
  client: string,
  radiusKm: number,
  most: number,
): Promise<readonly string[]> {
  const answer = await say(herd, `WHATSAT ${client} ${radiusKm} ${most}`)
  const found: unknown = JSON.parse(answer.slice(answer.indexOf('\n') + 1))
  const { results = [] } = found as { results?: { name?: string }[] }
  return results.map(({ name }) => name ?? 'without a name')
}

/** Degrees as the protocol writes them: always a sign, six decimals. */
function formatDegrees(degrees: number): string {
  return `${degrees < 0 ? '-' : '+'}${Math.abs(degrees).toFixed(6)}`
}
