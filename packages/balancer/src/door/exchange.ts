import type { BalancerFaultCode } from '../errors.ts'
import { type DoorAnswer, faultAnswer, replacedAnswer, routeAnswer } from './answers.ts'
import type { Client } from './client.ts'
import { Timed } from './deadlines.ts'
import type { DoorListener } from './listener.ts'
import type { RequestHead } from './parsing/request-head.ts'
import type { ResponseHead } from './parsing/response-head.ts'
import { Placement } from './placement.ts'
import type { Replica } from './replica.ts'
import { RequestBody } from './request-body.ts'
import { requestText } from './request-text.ts'
import type { UpstreamConnection, UpstreamFailure, UpstreamUser } from './upstream-connection.ts'
import type { Waiter } from './wait-queue.ts'

type Phase = 'idle' | 'waiting' | 'connecting' | 'sent' | 'answering' | 'tunnel'

/** A replaced answer's own body is read to its end up to this length, to keep the connection. */
const discardBytesMax = 65_536

/**
 * The path of one request, from its head to the end of the answer. One object serves all the
 * requests of an HTTP/1 connection, one after the other.
 *
 *   begin ─▶ pick ─▶ connecting ─▶ sent ─▶ answering ─▶ idle
 *             │ ▲        │          │          └──────▶ tunnel (101)
 *    no room  ▼ │        ▼          ▼ failed, and safe to repeat
 *          waiting       └──────────┴─────▶ pick another
 */
export class Exchange extends Timed implements UpstreamUser, Waiter {
  waitUntilMs = 0
  waitSinceMs = 0
  method = ''
  readonly body = new RequestBody()
  readonly #listener: DoorListener
  readonly #client: Client
  readonly #head: RequestHead
  #phase: Phase = 'idle'
  readonly #place = new Placement()
  #upstream: UpstreamConnection | undefined
  #text = ''
  #stripPrefix: string | undefined
  #replaced: DoorAnswer | undefined
  #status = 0
  #bytesOut = 0
  #startedMs = 0
  #endsAtMs = 0
  #clientEnded = false
  #replicaEnded = false

  constructor(listener: DoorListener, client: Client, head: RequestHead) {
    super()
    this.#listener = listener
    this.#client = client
    this.#head = head
  }

  /** Holds while a request is under way. */
  get busy(): boolean {
    return this.#phase !== 'idle'
  }

  // From the client

  /** Starts on the request whose head was just read. */
  begin(): void {
    const head = this.#head
    this.body.begin(head.contentLength)
    this.method = head.method
    const { router, services, context } = this.#listener
    this.#startedMs = context.clock.monotonic()
    const action = router.find(head)
    const service = action?.kind === 'service' ? services.get(action.service) : undefined
    if (action?.kind !== 'service' || !service) {
      const answer = routeAnswer(action, head)
      this.#finish(answer.status, '')
      this.#client.sendAnswer(answer)
      return
    }
    this.#stripPrefix = action.stripPrefix
    const address = this.#client.forwarding.clientOf(head, this.#listener.trust)
    if (!this.#place.begin(service, head, address)) {
      this.#refuse('RATE_LIMITED', `too many requests from ${address}`)
      return
    }
    this.#endsAtMs = context.deadlines.in(service.plan.timeouts.responseMs)
    context.deadlines.add(this)
    this.#attempt()
  }

  /** Takes bytes of the request's body, or of a tunnel. They are only lent. */
  clientBytes(bytes: Buffer, from: number, to: number): void {
    const upstream = this.#upstream
    if (this.#phase === 'tunnel') {
      this.body.bytes += to - from
      upstream?.outbox.bytes(bytes, from, to)
      return
    }
    if (this.#phase === 'idle') return
    this.body.keep(bytes, from, to)
    if (this.#phase === 'sent' || this.#phase === 'answering') {
      if (this.body.full || !this.#head.idempotent) this.body.lose()
      if (upstream) this.body.write(upstream.outbox, bytes, from, to)
      if (this.#phase === 'sent') this.#await(this.#listener.plan.timeouts.stallMs)
    } else if (this.body.full) this.#client.pauseBody()
  }

  /** The request's body is complete. */
  clientEnd(trailers: string): void {
    if (this.#phase === 'idle') return
    this.body.end(trailers)
    if (this.#phase === 'sent' || this.#phase === 'answering') this.#endRequest()
  }

  /** Everything of one read has been told: writes it. */
  clientFlush(): void {
    const upstream = this.#upstream
    if (!upstream || this.#phase === 'connecting') return
    if (!upstream.outbox.flush()) this.#client.pauseBody()
  }

  /** The client takes more bytes again. */
  clientWritable(): void {
    if (this.#phase === 'answering') this.deadlineMs = this.#endsAtMs
    this.#upstream?.resume()
  }

  /** The client ended its side of a tunnel. */
  clientTunnelEnd(): void {
    this.#clientEnded = true
    this.#upstream?.socket.end()
    if (this.#replicaEnded) this.#endTunnel()
  }

  /** The client is gone: what is under way at the replica is cancelled. */
  clientGone(): void {
    if (this.#phase === 'idle') return
    if (this.#phase === 'waiting') this.#place.service?.queue.remove(this)
    const status = this.#phase === 'tunnel' || this.#phase === 'answering' ? this.#status : 0
    this.#upstream?.destroy()
    this.#finish(status, this.#phase === 'tunnel' ? '' : 'client gone')
  }

  // From the wait queue

  wake(): boolean {
    this.#place.forgive()
    return this.#attempt()
  }

  waitExpired(): void {
    this.#place.service?.countWaitExpired()
    if (this.#place.lastFailed) this.#refuseUnserved()
    else this.#refuse('WAIT_EXPIRED', 'no replica was free in time')
  }

  // From the replica

  connected(): void {
    this.#send()
  }

  informational(head: ResponseHead): void {
    if (head.status !== 100 || this.#head.expectContinue) this.#client.sendInformational(head)
  }

  answered(head: ResponseHead): void {
    const { service, replica } = this.#place
    if (!service || !replica) return
    this.#phase = 'answering'
    this.#status = head.status
    this.deadlineMs = this.#endsAtMs
    const tookMs = this.#listener.context.clock.monotonic() - this.#startedMs
    service.answered(replica, tookMs, head.status)
    const { answers } = service.plan
    if (answers.length > 0) {
      this.#replaced = replacedAnswer(answers, head.status, this.#head.path)
      if (this.#replaced) return
    }
    this.#client.sendHead(head, this.#place.cookieLine(this.#client.secure))
  }

  answerBytes(bytes: Buffer, from: number, to: number): void {
    this.#bytesOut += to - from
    if (!this.#replaced) this.#client.sendBytes(bytes, from, to)
    else if (this.#bytesOut > discardBytesMax) {
      this.#upstream?.destroy()
      this.answerEnded('')
    }
  }

  answerEnded(trailers: string): void {
    if (this.#phase === 'tunnel') {
      this.#replicaEnded = true
      this.#client.endTunnel()
      if (this.#clientEnded) this.#endTunnel()
      return
    }
    const replaced = this.#replaced
    this.#finish(this.#status, '')
    if (replaced) this.#client.sendAnswer(replaced)
    else this.#client.sendEnd(trailers)
  }

  upgraded(head: ResponseHead): void {
    const { service, replica } = this.#place
    if (!this.#head.asksFor(head.upgrade) || !replica) {
      this.#upstream?.destroy()
      this.failed('broken', 'an upgrade that nobody asked for')
      return
    }
    this.#phase = 'tunnel'
    this.#status = 101
    this.deadlineMs = Number.POSITIVE_INFINITY
    service?.answered(replica, this.#listener.context.clock.monotonic() - this.#startedMs)
    this.#client.sendUpgrade(head)
  }

  flush(): boolean {
    if (this.#client.flush()) return true
    if (this.#phase === 'answering') this.#await(this.#listener.plan.timeouts.stallMs)
    return false
  }

  writable(): void {
    this.#client.resumeBody()
  }

  /** Decides what a failure means: another attempt, or the end of the request. */
  failed(failure: UpstreamFailure, reason: string): void {
    const { service, replica, attempts } = this.#place
    if (!service || !replica) return
    if (this.#phase === 'answering' || this.#phase === 'tunnel') {
      service.failed(replica, reason, false)
      this.#finish(this.#status, reason)
      this.#client.cut()
      return
    }
    this.#upstream = undefined
    this.#place.fail(failure, reason)
    const { idempotent } = this.#head
    if (!this.body.repeatable || !service.mayRepeat(failure, idempotent, attempts)) {
      const code = failure === 'broken' ? 'REPLICA_BROKE_RULES' : 'REPLICA_FAILED'
      this.#refuse(code, `replica ${replica.name} failed: ${reason}`)
    } else if (failure === 'stale') this.#ask(replica, false)
    else this.#attempt()
  }

  override expire(): void {
    const { service, replica } = this.#place
    if (this.#phase === 'idle' || !replica) return
    const isOver = this.#listener.context.deadlines.nowMs >= this.#endsAtMs
    const isTaken = this.#upstream?.socket.writableNeedDrain !== true
    this.#upstream?.destroy()
    if (this.#phase === 'connecting') {
      if (isOver) this.#refuse('REPLICA_TIMEOUT', 'no replica took the request in time')
      else this.failed('connect', 'no connection in time')
    } else if (this.#phase === 'answering') {
      this.#finish(this.#status, 'answer not taken in time')
      this.#client.cut()
    } else if (!this.body.complete && isTaken) {
      this.#refuse('REQUEST_TIMEOUT', 'the request stopped half-way')
    } else {
      service?.failed(replica, 'no answer in time', false)
      this.#refuse('REPLICA_TIMEOUT', `replica ${replica.name} did not answer in time`)
    }
  }

  // The steps

  /** Asks a replica, or waits for one. False when the request has to wait. */
  #attempt(): boolean {
    const replica = this.#place.next()
    if (!replica) return !this.#wait()
    this.#ask(replica, true)
    return true
  }

  /** Begins or goes on to wait; false when the request was refused instead. */
  #wait(): boolean {
    const { service, lastFailed } = this.#place
    const { nowMs } = this.#listener.context.deadlines
    const untilMs = this.#place.waitUntilMs()
    if (!service || untilMs === undefined) return this.#refuseUnserved()
    if (this.#phase === 'waiting') return true
    if (this.waitSinceMs === 0) this.waitSinceMs = nowMs
    this.waitUntilMs = Math.min(untilMs, this.waitSinceMs + service.plan.queue.waitMs)
    this.#phase = 'waiting'
    this.deadlineMs = Number.POSITIVE_INFINITY
    if (this.waitUntilMs <= nowMs) return this.#refuseUnserved()
    if (service.queue.add(this)) {
      service.countWait()
      return true
    }
    if (lastFailed) return this.#refuseUnserved()
    return this.#refuse('QUEUE_FULL', 'every replica is busy')
  }

  #refuseUnserved(): false {
    const last = this.#place.lastFailed
    if (!last) return this.#refuse('NO_REPLICA', 'no replica is ready')
    return this.#refuse('REPLICA_FAILED', `replica ${last.name} failed`)
  }

  /** Sends the request to `replica`, over a connection that is there (`pooled`) or a new one. */
  #ask(replica: Replica, pooled: boolean): void {
    this.#place.take(replica)
    const mayRepeat = this.#head.idempotent && this.body.repeatable
    this.#upstream = pooled ? replica.take(this, mayRepeat) : undefined
    if (this.#upstream) {
      this.#send()
      return
    }
    this.#phase = 'connecting'
    this.#await(this.#place.service?.plan.timeouts.connectMs ?? 0)
    this.#upstream = replica.open(this)
  }

  #send(): void {
    const upstream = this.#upstream
    if (!upstream) return
    this.#phase = 'sent'
    const { sampleShare: share } = this.#listener
    if (this.#text === '')
      this.#text = requestText(this.#head, this.#client.forwarding, this.#stripPrefix, share)
    upstream.outbox.text(this.#text)
    this.body.replay(upstream.outbox)
    if (this.body.complete) this.#endRequest()
    else {
      if (this.body.full || !this.#head.idempotent) this.body.lose()
      this.#await(this.#listener.plan.timeouts.stallMs)
      this.#client.resumeBody()
    }
    this.clientFlush()
  }

  #endRequest(): void {
    const upstream = this.#upstream
    if (!upstream) return
    this.body.writeEnd(upstream.outbox)
    upstream.requestSent = true
    if (this.#phase === 'sent') this.#await(this.#place.service?.plan.timeouts.firstByteMs ?? 0)
  }

  #await(timeoutMs: number): void {
    this.deadlineMs = Math.min(this.#listener.context.deadlines.in(timeoutMs), this.#endsAtMs)
  }

  #endTunnel(): void {
    this.#upstream?.letGo()
    this.#finish(101, '')
  }

  #refuse(code: BalancerFaultCode, message: string): false {
    const answer = faultAnswer(code, message, this.#head.path, this.#place.service?.plan.answers)
    this.#finish(answer.status, message)
    this.#client.sendAnswer(answer)
    return false
  }

  /** Ends the request: counts it, and makes the exchange ready for the next. */
  #finish(status: number, trouble: string): void {
    const { context } = this.#listener
    const durationMs = context.clock.monotonic() - this.#startedMs
    context.deadlines.remove(this)
    this.#phase = 'idle'
    this.deadlineMs = Number.POSITIVE_INFINITY
    if (this.#listener.isRecording) this.#log(status, durationMs, trouble)
    this.#place.replica?.count(status, durationMs, this.body.bytes, this.#bytesOut)
    this.#upstream = undefined
    this.#place.leave()
    this.#reset()
  }

  #log(status: number, durationMs: number, trouble: string): void {
    const { client, service, replica, attempts } = this.#place
    this.#listener.record(this.#head, {
      client,
      service: service?.plan.name,
      replica: replica?.name,
      status,
      durationMs,
      bytesIn: this.body.bytes,
      bytesOut: this.#bytesOut,
      attempts,
      trouble,
    })
  }

  #reset(): void {
    this.#place.reset()
    this.#text = ''
    this.#replaced = undefined
    this.#status = 0
    this.#bytesOut = 0
    this.#clientEnded = false
    this.#replicaEnded = false
    this.waitSinceMs = 0
  }
}
