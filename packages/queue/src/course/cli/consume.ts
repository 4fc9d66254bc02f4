import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { type Address, type Clock, Fault } from '@drover/kernel'
import { fault } from '../../errors.ts'
import { type CourseClient, type CourseMessage, createCourseClient } from './course-client.ts'
import { patiently } from './patience.ts'
import { parseSubscriptions, type Subscription } from './subscription.ts'

/** The longest wait between two looks when nothing is there, in ms. */
const lookMsMost = 200

/** What `drover consume` is told. */
export interface ConsumeRun {
  /** Names the file that is written: consumer_<id>.txt. */
  readonly id: number
  /** As T1:P1 or T2:*; they take turns in this order. */
  readonly topics: readonly string[]
  readonly broker: Address
  /** The folder of the file that is written. */
  readonly logFolder: string
  readonly clock: Clock
  /** Ends after so long without a message. Default 20 s. */
  readonly idleMs?: number
  /** Called once with the manager's ids of all, when each is registered: what is sent now is read. */
  readonly onReady?: (ids: readonly number[]) => void
  /** Called after each message with how many are written. */
  readonly onMessage?: (count: number) => void
  /** Ends it once what was taken is written. */
  readonly signal?: AbortSignal
}

/**
 * Reads what comes after its start into consumer_<id>.txt, a line `T1:P1     MSG6` for each message,
 * and resolves to how many when none has come for `idleMs`. The file begins empty. A topic that does
 * not exist yet is waited for as long. Throws LOG_FILE_INVALID when the file cannot be written.
 */
export async function runConsume(run: ConsumeRun): Promise<number> {
  const { clock, idleMs = 20_000, signal } = run
  const subscriptions = parseSubscriptions(run.topics)
  const log = await openLog(join(run.logFolder, `consumer_${run.id}.txt`))
  let count = 0
  let lastMs = 0
  const keep = async (message: CourseMessage) => {
    await log.write(message)
    lastMs = clock.monotonic()
    count++
    run.onMessage?.(count)
  }
  try {
    const client = createCourseClient(run.broker, clock)
    const consumers = await register(client, subscriptions, idleMs, clock)
    run.onReady?.(consumers)
    lastMs = clock.monotonic()
    let waitMs = 0
    while (!signal?.aborted && clock.monotonic() - lastMs < idleMs) {
      const before = count
      await patiently(() => round(client, consumers, keep), isPassing, idleMs, clock)
      waitMs = count > before ? 0 : Math.min(lookMsMost, waitMs * 2 + 10)
      if (waitMs > 0) await clock.sleep(waitMs)
    }
  } finally {
    await log.close()
  }
  return count
}

async function register(
  client: CourseClient,
  subscriptions: readonly Subscription[],
  idleMs: number,
  clock: Clock,
): Promise<readonly number[]> {
  const ids: number[] = []
  for (const { topic, part } of subscriptions)
    ids.push(await patiently(() => client.registerConsumer(topic, part), passesSoon, idleMs, clock))
  return ids
}

/** Looks once for each consumer in turn, and keeps what is there. */
async function round(
  client: CourseClient,
  consumers: readonly number[],
  keep: (message: CourseMessage) => Promise<void>,
): Promise<void> {
  for (const consumer of consumers) {
    if ((await client.size(consumer)) === 0) continue
    const message = await client.consume(consumer)
    if (message) await keep(message)
  }
}

interface ConsumerLog {
  write(message: CourseMessage): Promise<void>
  close(): Promise<void>
}

async function openLog(path: string): Promise<ConsumerLog> {
  const failed = (cause: unknown) =>
    fault('LOG_FILE_INVALID', `${path} cannot be written`, { cause })
  try {
    const file = await open(path, 'w')
    return {
      write: ({ topic, message }) =>
        file.appendFile(`${topic}     ${onOneLine(message)}\n`).catch((cause: unknown) => {
          throw failed(cause)
        }),
      close: () => file.close(),
    }
  } catch (cause) {
    throw failed(cause)
  }
}

/** A line is one message, whatever is in it. */
function onOneLine(message: string): string {
  return message.replaceAll('\r', '\\r').replaceAll('\n', '\\n')
}

function isPassing(error: unknown): boolean {
  return error instanceof Fault && error.retry !== 'never'
}

/** A refused registration, too: somebody may be about to make the topic. */
function passesSoon(error: unknown): boolean {
  return isPassing(error) || (error instanceof Fault && error.code === 'MANAGER_REFUSED')
}
