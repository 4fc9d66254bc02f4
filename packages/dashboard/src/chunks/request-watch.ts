import { useEffect, useState } from 'preact/hooks'
import { follow } from '../client/follow.ts'
import { describe } from '../client/problem.ts'
import type { ChunkRequest } from './chunks-api.ts'

/** The requests as they change; each piece of news is the whole list. */
export function useRequests(base: string) {
  const [found, setFound] = useState<{
    readonly requests: readonly ChunkRequest[] | undefined
    readonly problem: string | undefined
  }>({ requests: undefined, problem: undefined })
  useEffect(
    () =>
      follow({
        target: () => ({ path: `${base}/events` }),
        onEvent: ({ data }) =>
          setFound({ requests: JSON.parse(data) as ChunkRequest[], problem: undefined }),
        onLost: (problem) => {
          if (problem !== undefined)
            setFound((before) => ({ ...before, problem: describe(problem) }))
        },
      }),
    [base],
  )
  return found
}
