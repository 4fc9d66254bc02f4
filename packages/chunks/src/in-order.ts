/**
 * Starts `work` for each item, at most `window` at one time, and hands the results on in the order of
 * the items. An item is asked for only when there is room, which is what bounds memory.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  window: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = []
  const add = (result: Promise<Result>) => {
    // When an earlier one fails, nobody awaits this one any more.
    result.catch(() => {})
    running.push(result)
  }
  for await (const item of items) {
    add(work(item))
    if (running.length >= window) yield (await running.shift()) as Result
  }
  for (const result of running) yield await result
}
