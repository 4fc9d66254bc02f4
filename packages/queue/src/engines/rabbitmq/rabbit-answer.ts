import { type Clock, withDeadline } from '@drover/kernel'
import type { Channel, Connection } from 'rabbitmq-client'
import { fault } from '../../errors.ts'
import { timeDefaults } from '../../options.ts'

/** How long an answer is waited for, and what becomes of the channel that it does not come over. */
export interface AnswerWait {
  readonly clock: Clock
  /** In ms; by default 10 s. */
  readonly deadlineMs?: number
  leave(): void
}

/**
 * Awaits what the server has to answer. A server that was killed and started again may never answer
 * what was asked while its queues came back, and its client waits for ever: then ENGINE_FAILED is
 * thrown, and `leave` called.
 */
export async function answered<Result>(
  answer: Promise<Result>,
  { clock, deadlineMs = timeDefaults.requestMs, leave }: AnswerWait,
): Promise<Result> {
  let isLate = true
  const settled = answer.finally(() => {
    isLate = false
  })
  try {
    return await withDeadline('RabbitMQ', deadlineMs, clock, settled)
  } catch (cause) {
    if (!isLate) throw cause
    leave()
    throw fault('ENGINE_FAILED', `RabbitMQ did not answer within ${deadlineMs} ms`, { cause })
  }
}

/** Opens a channel, when need be after the connection is back. Throws ENGINE_FAILED after 10 s. */
export function openChannel(connection: Connection, clock: Clock): Promise<Channel> {
  const opening = connection.acquire()
  const leave = () => void opening.then((channel) => channel.close()).catch(() => {})
  return answered(opening, { clock, leave })
}
