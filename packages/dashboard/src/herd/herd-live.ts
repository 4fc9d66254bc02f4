import { useEffect, useState } from 'preact/hooks'
import type { Part } from '../client/admin.ts'
import { follow } from '../client/follow.ts'
import { type ClientsNews, withNews } from './client-map.ts'
import type { Client, Crossing } from './herd-api.ts'

/** Where everybody is, and who crossed a fence, by one server's stream. */
export interface HerdLive {
  readonly clients: ReadonlyMap<string, Client>
  /** The newest first. */
  readonly crossings: readonly Crossing[]
  readonly isOpen: boolean
}

const crossingsMax = 50
const nobody: HerdLive = { clients: new Map(), crossings: [], isOpen: false }

/** Follows `part`; a new stream begins with everybody, so what was known before is forgotten. */
export function useHerdLive(part: Part | undefined): HerdLive {
  const [live, setLive] = useState<HerdLive>(nobody)
  const base = part?.base
  useEffect(() => {
    setLive(nobody)
    if (base === undefined) return undefined
    return follow({
      target: () => ({ path: `${base}/v1/events?map=true&fences=true` }),
      onOpen: () => setLive((before) => ({ ...before, clients: new Map(), isOpen: true })),
      onLost: () => setLive((before) => ({ ...before, isOpen: false })),
      onEvent: ({ name, data }) => {
        if (name === 'clients') {
          const news = JSON.parse(data) as ClientsNews
          setLive((before) => ({ ...before, clients: withNews(before.clients, news) }))
        }
        if (name === 'crossing') {
          const crossing = JSON.parse(data) as Crossing
          setLive((before) => ({
            ...before,
            crossings: [crossing, ...before.crossings].slice(0, crossingsMax),
          }))
        }
      },
    })
  }, [base])
  return live
}
