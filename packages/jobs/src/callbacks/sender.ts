import { describeError, type Random, type Service } from '@drover/kernel'
import { createLoop, type LoopOptions, pause } from '../pipeline/loop.ts'
import type { ClaimedDelivery, DeliveryStore } from '../store/delivery-store.ts'
import { receiverOf } from '../store/endings.ts'
import type { DeliveryState } from '../store/tables.ts'
import type { CallbackOptions } from './options.ts'
import { Receivers } from './receivers.ts'
import { type SendOutcome, type SendTools, send } from './send.ts'

export interface SenderOptions extends Omit<LoopOptions, 'name'>, SendTools {
  readonly deliveries: DeliveryStore
}

/** The callback sender, and a way to tell it that there is something new. */
export interface Sender extends Service {
  wake(): void
}

/**
 * Sends callbacks that are due, several at one time. What came of each is stored before it counts;
 * killed in between, the claim ends and it is sent again under the same id.
 */
export function createSender(options: SenderOptions): Sender {
  const { clock, deliveries } = options
  const { concurrency, everyMs, attemptMs, receiverConcurrency } = options.options
  const receivers = new Receivers(clock, options.options)
  const running = new Set<Promise<void>>()
  let wake = () => {}
  const loop = createLoop({ ...options, name: 'callback sender' }, async (signal) => {
    const free = concurrency - receivers.active
    const which = { each: receiverConcurrency, except: receivers.closed() }
    const found = free <= 0 ? [] : await deliveries.claimDue(free, attemptMs * 3, which)
    for (const claimed of found) {
      const task = deliver(options, receivers, claimed, signal).finally(() => running.delete(task))
      running.add(task)
    }
    if (found.length > 0) return
    const woken = new Promise<void>((resolve) => {
      wake = resolve
    })
    await Promise.race([pause(clock, everyMs, signal), woken, ...running])
  })
  return {
    start: loop.start,
    async stop() {
      await loop.stop()
      await Promise.all(running)
    },
    wake: () => wake(),
  }
}

async function deliver(
  options: SenderOptions,
  receivers: Receivers,
  claimed: ClaimedDelivery,
  signal: AbortSignal,
): Promise<void> {
  const { clock, deliveries, random, log } = options
  const origin = receiverOf(claimed.delivery.url)
  try {
    const restMs = await receivers.enter(origin, signal)
    if (restMs > 0) {
      await deliveries.postpone(claimed, Math.ceil(clock.now() + restMs))
      return
    }
    const outcome = await call(options, receivers, origin, claimed, signal)
    const next = nextOf(options.options, claimed.delivery.attempt, outcome, random)
    const dueMs = Math.ceil(clock.now() + next.waitMs)
    await deliveries.note(claimed, outcome.attempt, { state: next.state, dueMs })
  } catch (error) {
    if (signal.aborted) await handBack(options, claimed)
    else log.warn({ cause: describeError(error) }, 'a callback was not noted; it is sent again')
  }
}

/** Whoever comes next need not wait for the claim of one who has stopped to end. */
async function handBack({ clock, deliveries }: SenderOptions, claimed: ClaimedDelivery) {
  await deliveries.postpone(claimed, clock.now()).catch(() => {
    // The claim ends by itself.
  })
}

async function call(
  options: SenderOptions,
  receivers: Receivers,
  origin: string,
  claimed: ClaimedDelivery,
  signal: AbortSignal,
): Promise<SendOutcome> {
  let how: 'answered' | 'failed' = 'answered'
  try {
    const outcome = await send(options, claimed, signal)
    if (isAway(outcome)) how = 'failed'
    return outcome
  } finally {
    receivers.leave(origin, how)
  }
}

/** Whoever refuses a callback is well: others may have places there that take theirs. */
function isAway({ fault, attempt: { status } }: SendOutcome): boolean {
  return fault !== undefined && (status === undefined || status >= 500 || status === 429)
}

/** Returns what becomes of a callback after its attempt number `attempt`, from 1. */
export function nextOf(
  { waitsMs, jitter }: CallbackOptions,
  attempt: number,
  { fault, waitMs = 0 }: Pick<SendOutcome, 'fault' | 'waitMs'>,
  random: Random,
): { readonly state: DeliveryState; readonly waitMs: number } {
  if (!fault) return { state: 'delivered', waitMs: 0 }
  if (fault.code === 'CALLBACK_GONE') return { state: 'gone', waitMs: 0 }
  const ownMs = waitsMs[attempt - 1]
  if (fault.retry === 'never' || ownMs === undefined) return { state: 'failed', waitMs: 0 }
  const drawnMs = ownMs * (1 - jitter + 2 * jitter * random.next())
  return { state: 'pending', waitMs: Math.max(drawnMs, waitMs) }
}
