import { type Clock, describeError, fromProblem, type Random } from '@drover/kernel'

/** Many requests at random intervals, as a class of students sends them. */
export interface Storm {
  readonly url: string
  readonly requests: number
  /** What each sends, chosen at random. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  /** The query of each: how to chunk. */
  readonly query: string
  /** The longest wait before the next request, in ms. */
  readonly gapMsMax: number
  readonly clock: Clock
  readonly random: Random
}

/** How a storm ended. */
export interface StormResult {
  readonly done: number
  /** By what was answered. */
  readonly failures: ReadonlyMap<string, number>
  readonly resultBytes: number
  readonly tookMs: number
  /** Of the requests that were done, in ms, ascending. */
  readonly waitsMs: readonly number[]
}

/** Sends the storm and waits for every result. */
export async function runStorm(storm: Storm, told: (ended: number) => void): Promise<StormResult> {
  const { clock, random, requests, gapMsMax } = storm
  const startMs = clock.monotonic()
  const failures = new Map<string, number>()
  const waitsMs: number[] = []
  let [resultBytes, ended] = [0, 0]
  const sendOne = async () => {
    const sentMs = clock.monotonic()
    try {
      const bytes = await send(storm)
      // Not in one statement: many wait here at the same time, and each would forget the others.
      resultBytes += bytes
      waitsMs.push(clock.monotonic() - sentMs)
    } catch (error) {
      const why = describeError(error)
      failures.set(why, (failures.get(why) ?? 0) + 1)
    }
    told(++ended)
  }
  const running: Promise<void>[] = []
  for (let sent = 0; sent < requests; sent++) {
    running.push(sendOne())
    await clock.sleep(random.integer(0, gapMsMax))
  }
  await Promise.all(running)
  const tookMs = clock.monotonic() - startMs
  waitsMs.sort((one, other) => one - other)
  return { done: waitsMs.length, failures, resultBytes, tookMs, waitsMs }
}

async function send({ url, query, files, random }: Storm): Promise<number> {
  const file = random.pick(files)
  if (!file) throw new TypeError('a storm needs a file')
  const target = new URL(`/chunks?${query}&wait=yes`, url)
  target.searchParams.set('name', file.name)
  const answer = await fetch(target, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: file.bytes as Uint8Array<ArrayBuffer>,
  })
  if (!answer.ok) {
    const problem = fromProblem(await answer.json().catch(() => undefined))
    throw problem ?? new Error(`the server answered ${answer.status}`)
  }
  let bytes = 0
  for await (const block of answer.body ?? []) bytes += block.length
  return bytes
}
