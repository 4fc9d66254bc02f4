import { backoffMs, type Clock, describeError, type Log, type Random } from '@drover/kernel'
import { createLineSplitter } from '../lines.ts'
import { type EngineClient, messageOf } from './engine-client.ts'

const backoff = { firstMs: 100, mostMs: 5_000 }

/** An event carries all labels of its container and of the image. */
const eventBytesMax = 2 ** 20

/** Hears the ends of containers. */
export interface Deaths {
  /** Resolves when it listens; rejects with ENGINE_FAILED. Later calls await the first. */
  start(): Promise<void>
  stop(): void
}

/** What a listener is about. */
export interface DeathsOf {
  /** Containers with this label are heard. */
  readonly label: string
  /** Those that were made and whose end was not heard yet. */
  readonly watched: () => readonly string[]
  /** A container ended; without an exit code when nobody heard how. */
  readonly onDeath: (container: string, exitCode: number | undefined) => void
}

/**
 * Returns a listener for the ends of containers. It holds one connection to the engine. When that
 * breaks it connects again, and then asks which containers still run: ends in between were told to
 * nobody. While the engine is away nothing is taken for dead; the front door's checks notice that.
 */
export function createDeaths(
  engine: EngineClient,
  { label, watched, onDeath }: DeathsOf,
  { clock, random, log }: { clock: Clock; random: Random; log: Log },
): Deaths {
  const stopping = new AbortController()
  const { signal } = stopping
  let starting: Promise<void> | undefined

  const listen = async (stream: AsyncIterable<Buffer>) => {
    const splitter = createLineSplitter((line) => {
      const death = parseDeath(line)
      if (death) onDeath(death.container, death.exitCode)
    }, eventBytesMax)
    for await (const chunk of stream) splitter.push(chunk)
  }
  const catchUp = async () => {
    const before = watched()
    const { status, body } = await engine.list(label)
    if (status !== 200 || !Array.isArray(body)) throw new Error(messageOf(body))
    const alive = new Set(body.flatMap((one) => (hasEnded(one?.State) ? [] : one?.Id)))
    for (const container of before) if (!alive.has(container)) onDeath(container, undefined)
  }
  const wentAway = (error: unknown) => {
    if (!signal.aborted) log.warn({ cause: describeError(error) }, 'the container engine went away')
  }
  const connectAgain = async () => {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await clock.sleep(backoffMs(attempt, backoff, random), signal)
        const stream = await engine.deaths(label, signal)
        await catchUp()
        attempt = 0
        await listen(stream)
      } catch (error) {
        wentAway(error)
      }
    }
  }
  const start = async () => {
    const stream = await engine.deaths(label, signal)
    void listen(stream).catch(wentAway).then(connectAgain)
  }
  return {
    start() {
      starting ??= start().catch((error: unknown) => {
        starting = undefined
        throw error
      })
      return starting
    },
    stop: () => stopping.abort(),
  }
}

function hasEnded(state: unknown): boolean {
  return state === 'exited' || state === 'dead' || state === 'removing'
}

/** Reads one event of the engine; undefined when it tells of no container's end. */
export function parseDeath(
  line: string,
): { readonly container: string; readonly exitCode: number | undefined } | undefined {
  let event: { Action?: unknown; Actor?: { ID?: unknown; Attributes?: { exitCode?: unknown } } }
  try {
    event = JSON.parse(line)
  } catch {
    // Cut off when the engine stopped in the middle of a line.
    return undefined
  }
  const container = event?.Actor?.ID
  if (event?.Action !== 'die' || typeof container !== 'string') return undefined
  const exitCode = Number(event.Actor?.Attributes?.exitCode ?? Number.NaN)
  return { container, exitCode: Number.isInteger(exitCode) ? exitCode : undefined }
}
