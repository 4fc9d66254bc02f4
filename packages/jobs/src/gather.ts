/** Items of one call. */
const atOnceMax = 1_000

/**
 * Returns a function that gathers what it is called with in one turn of the event loop, and while a
 * call is under way, and hands it to `run` at once. `run` returns the results in their order; when it
 * fails, all of them fail.
 */
export function gather<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
): (item: Item) => Promise<Result> {
  interface Waiting {
    readonly item: Item
    readonly resolve: (result: Result) => void
    readonly reject: (error: unknown) => void
  }
  const waiting: Waiting[] = []
  let running = false

  const runAll = async () => {
    while (waiting.length > 0) {
      const group = waiting.splice(0, atOnceMax)
      try {
        const results = await run(group.map(({ item }) => item))
        for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result)
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    running = false
  }
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (running) return
      running = true
      setImmediate(runAll)
    })
}
