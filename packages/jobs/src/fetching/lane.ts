/** Does `work` when it is its turn. */
export type Lane = <Result>(work: () => Promise<Result>) => Promise<Result>

/** Returns a lane in which so many go at one time, the others after them in their order. */
export function createLane(places: number): Lane {
  const waiting: (() => void)[] = []
  let free = places
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
