import type { Part } from '../client/admin.ts'
import { parts } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { route } from './route.ts'

/** The part of a kind that the address names (`#/queue/SERVICE`), or the first there is. */
export function usePart(kind: string): Part | undefined {
  const own = useStore(parts).filter(({ part }) => part === kind)
  const { rest } = useStore(route)
  return own.find(({ service }) => service === rest[0]) ?? own[0]
}
