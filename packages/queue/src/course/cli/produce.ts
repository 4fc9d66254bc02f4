import { join } from 'node:path'
import { type Address, type Clock, Fault } from '@drover/kernel'
import { type CourseClient, createCourseClient } from './course-client.ts'
import { checkTurn, readLogFile } from './log-file.ts'
import { patiently } from './patience.ts'
import { parseSubscriptions, type Subscription } from './subscription.ts'

/** What `drover produce` is told. */
export interface ProduceRun {
  /** Names the log file: producer_<id>.txt. */
  readonly id: number
  /** As T1:P1 or T2:*, in the order of the lines. */
  readonly topics: readonly string[]
  readonly broker: Address
  /** The folder of the log file. */
  readonly logFolder: string
  readonly clock: Clock
  /** How long a message is tried again while the manager fails or is away. Default 20 s. */
  readonly patienceMs?: number
  /** Called after each message with how many are sent. */
  readonly onSent?: (count: number) => void
}

/**
 * Sends the lines of producer_<id>.txt in their order and resolves to how many. Each must be for the
 * next of `topics`, cyclically; the first that is not ends it with LOG_FILE_INVALID, and what was
 * sent stays sent. A message whose answer was lost is sent again, so it may be there twice.
 */
export async function runProduce(run: ProduceRun): Promise<number> {
  const { clock, patienceMs = 20_000 } = run
  const client = createCourseClient(run.broker, clock)
  const path = join(run.logFolder, `producer_${run.id}.txt`)
  const retry = <Result>(call: () => Promise<Result>) =>
    patiently(call, isPassing, patienceMs, clock)
  const subscriptions = parseSubscriptions(run.topics)
  const producers = await retry(() => register(client, subscriptions))
  let sent = 0
  for await (const line of readLogFile(path)) {
    const turn = sent % subscriptions.length
    const [wanted, producer] = [subscriptions[turn], producers[turn]]
    if (!wanted || producer === undefined) throw new RangeError(`no subscription ${turn}`)
    checkTurn(path, line, wanted)
    await retry(() => client.produce(producer, line.message))
    sent++
    run.onSent?.(sent)
  }
  return sent
}

async function register(
  client: CourseClient,
  subscriptions: readonly Subscription[],
): Promise<readonly number[]> {
  const ids: number[] = []
  for (const { topic, part } of subscriptions) ids.push(await client.registerProducer(topic, part))
  return ids
}

function isPassing(error: unknown): boolean {
  return error instanceof Fault && error.retry !== 'never'
}
