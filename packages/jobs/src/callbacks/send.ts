import { type Clock, describeError, Fault } from '@drover/kernel'
import { Webhook } from 'standardwebhooks'
import { fault } from '../errors.ts'
import { parsePageUrl } from '../fetching/page-url.ts'
import { retryAfterMs } from '../fetching/retry-after.ts'
import type { Transport } from '../fetching/transport.ts'
import type { ClaimedDelivery, DeliveryAttempt } from '../store/delivery-store.ts'
import type { CallbackOptions } from './options.ts'

/** How one attempt went. */
export interface SendOutcome {
  readonly attempt: Omit<DeliveryAttempt, 'attempt'>
  /** Undefined when it was delivered. */
  readonly fault: Fault | undefined
  /** The receiver asked to wait so long. */
  readonly waitMs: number | undefined
}

export interface SendTools {
  readonly transport: Transport
  readonly clock: Clock
  readonly userAgent: string
  readonly options: CallbackOptions
}

/** What of an answer is kept, in characters. */
const answerCharsMax = 2_000

/**
 * Sends one callback as Standard Webhooks have it: id, time, and a signature for each secret. No
 * redirect is followed. Never throws but the signal's reason.
 */
export async function send(
  tools: SendTools,
  claimed: ClaimedDelivery,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const { clock } = tools
  const atMs = clock.now()
  const startMs = clock.monotonic()
  const took = () => ({ atMs, tookMs: Math.round(clock.monotonic() - startMs) })
  try {
    const answer = await post(tools, claimed, signal)
    const text = new TextDecoder().decode(answer.body).slice(0, answerCharsMax)
    // PostgreSQL keeps no zero in a text.
    const kept = { status: answer.status, answer: text.replaceAll('\0', '\ufffd') }
    const attempt = { ...took(), ...kept, error: undefined }
    const waitMs = retryAfterMs(answer.headers['retry-after'], clock.now())
    return { attempt, fault: judge(answer.status), waitMs }
  } catch (error) {
    signal.throwIfAborted()
    const known =
      error instanceof Fault
        ? error
        : fault('CALLBACK_REFUSED', 'it could not be sent', { cause: error })
    const attempt = { ...took(), status: undefined, answer: undefined, error: describeError(known) }
    return { attempt, fault: known, waitMs: undefined }
  }
}

async function post(
  { transport, clock, userAgent, options }: SendTools,
  { delivery, secrets }: ClaimedDelivery,
  signal: AbortSignal,
) {
  const late = new AbortController()
  const { attemptMs, answerBytesMax } = options
  const cancel = clock.after(attemptMs, () =>
    late.abort(fault('FETCH_TIMEOUT', `the receiver took longer than ${attemptMs} ms`)),
  )
  const time = new Date(clock.now())
  const signatures = secrets.map((secret) =>
    new Webhook(secret).sign(delivery.id, time, delivery.body),
  )
  try {
    return await transport.send(
      {
        method: 'POST',
        url: parsePageUrl(delivery.url),
        headers: {
          'user-agent': userAgent,
          'content-type': 'application/json',
          'webhook-id': delivery.id,
          'webhook-timestamp': String(Math.floor(time.getTime() / 1_000)),
          'webhook-signature': signatures.join(' '),
          ...(delivery.traceparent === undefined ? {} : { traceparent: delivery.traceparent }),
        },
        body: delivery.body,
        bytesMax: answerBytesMax,
        beyond: 'cut',
      },
      AbortSignal.any([signal, late.signal]),
    )
  } finally {
    cancel()
  }
}

function judge(status: number): Fault | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status === 410) return fault('CALLBACK_GONE', 'the receiver wants no more callbacks')
  return fault('CALLBACK_REFUSED', `the receiver answered ${status}`)
}
