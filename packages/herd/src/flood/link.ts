import type { Clock } from '@drover/kernel'
import type { HerdState } from '../state/herd-state.ts'
import type { Origin } from '../state/origins.ts'
import { createRecord, type HerdRecord, textBytesOf } from '../state/record.ts'
import { ByteReader, ByteWriter, MessageTooShort } from './byte-writer.ts'
import { Fifo } from './fifo.ts'
import type { Identity } from './handshake.ts'
import {
  type Known,
  type Member,
  messageType,
  readKnown,
  readMembers,
  writeHead,
  writeKnown,
  writeMembers,
} from './messages.ts'
import { Outbox } from './outbox.ts'
import { PeerKnowledge } from './peer-knowledge.ts'
import { readRecord, writeRecord } from './record-codec.ts'
import type { Ticket } from './ticket.ts'
import type { Timings } from './timings.ts'
import type { Channel } from './transport.ts'
import { WaitingTickets } from './waiting-tickets.ts'

/** What a link asks of the server that it belongs to. */
export interface LinkOwner {
  readonly state: HerdState
  readonly clock: Clock
  readonly timings: Timings
  /** Whether servers tell each other what they missed. */
  readonly sync: boolean
  /** Slots that may wait for a slow neighbour; then the rest is found by anti-entropy. */
  readonly outboxMax: number
  /** A record came; true when it was news. */
  accept(record: HerdRecord, link: Link): boolean
  /** The link by which a slot's record came; 0: none. */
  cameBy(slot: number): number
  /** The neighbour has sent all that it has up to these numbers. */
  complete(known: readonly Known[]): void
  members(members: readonly Member[], link: Link): void
  left(link: Link): void
  /** Has `flush` called at the end of this turn. */
  flushSoon(): void
  /** The link is at its end; the channel is closed. */
  ended(link: Link, reason: string): void
}

/** Records go out in messages of about this many bytes. */
const updatesBytes = 49_152
/** Bytes that may be under way without an acknowledgement. */
const windowBytes = 1_048_576
/** What a record takes beside its text. */
const recordHeadBytes = 39

interface Sent {
  readonly number: number
  readonly bytes: number
  /** The slots of an updates message. */
  readonly slots: readonly number[]
}

/** Counted since the link came up. */
export interface LinkCounts {
  readonly sentRecords: number
  readonly receivedRecords: number
  readonly sentBytes: number
  readonly receivedBytes: number
}

/**
 * A connection to a neighbour that has proved itself. Messages are numbered; a gap means that the
 * network lost something, and the link ends, to be made anew and brought in step. Each message tells
 * the number of the last one handled, which acknowledges all before it.
 *
 *   up ──▶ digest both ways (sync) ──▶ updates, pings, acknowledgements ──▶ ended
 */
export class Link {
  readonly peer: Identity
  /** True when this server dialled. */
  readonly isDialled: boolean
  /** Tells links apart in the node's table of where records came from. */
  readonly index: number
  /** The wall time at which it came up, in ms. */
  readonly sinceMs: number
  /** How long the last message took to be acknowledged, in ms; undefined before the first. */
  rttMs: number | undefined
  /** It missed a deadline, and is not waited for until it has caught up. */
  isSlow = false
  readonly #owner: LinkOwner
  readonly #channel: Channel
  readonly #outbox: Outbox
  readonly #writer = new ByteWriter()
  readonly #record: HerdRecord
  readonly #sent = new Fifo<Sent>()
  readonly #tickets = new WaitingTickets()
  readonly #knowledge: PeerKnowledge
  #lastNumber = 0
  /** The number of the last message with records. */
  #lastUpdates = 0
  #handled = 0
  #acked = 0
  #isAckDue = false
  #sentWindowBytes = 0
  #progressMs = 0
  /** The number of the message whose acknowledgement is timed, and when it left; 0: none. */
  #probe = 0
  #probeAtMs = 0
  #isCompared = false
  #completeAtMs = Number.NEGATIVE_INFINITY
  #isCompleteDue = false
  #isOver = false
  #counts = { sentRecords: 0, receivedRecords: 0, sentBytes: 0, receivedBytes: 0 }

  constructor(
    owner: LinkOwner,
    channel: Channel,
    about: { readonly peer: Identity; readonly isDialled: boolean; readonly index: number },
  ) {
    this.#owner = owner
    this.#channel = channel
    this.peer = about.peer
    this.isDialled = about.isDialled
    this.index = about.index
    this.sinceMs = owner.clock.now()
    this.#outbox = new Outbox(owner.outboxMax)
    this.#knowledge = new PeerKnowledge(owner.state)
    this.#record = createRecord()
  }

  get counts(): LinkCounts {
    return this.#counts
  }

  /** Records that wait to be sent. */
  get waiting(): number {
    return this.#outbox.size
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Begins anti-entropy by telling what is known here. */
  compare(known: readonly Known[]): void {
    writeKnown(this.#begin(messageType.digest), known)
    this.#send([])
  }

  /** Has the record of `slot` sent at the next flush. */
  enqueue(slot: number): void {
    if (this.#outbox.add(slot)) return
    // Too slow for the traffic: forget the queue, and search for what it lacks when there is room.
    this.#knowledge.search()
    this.#outbox.clear()
    this.#outbox.add(slot)
  }

  /** Makes `ticket` wait until everything enqueued so far is acknowledged. */
  await(ticket: Ticket): void {
    if (this.isSlow) return
    if (this.#outbox.size > 0) this.#tickets.awaitSending(ticket, this.#outbox.added)
    else if (this.#acked < this.#lastUpdates) this.#tickets.awaitAck(ticket, this.#lastUpdates)
  }

  /** Tells whether `ticket` waits for this link. */
  waitsFor(ticket: Ticket): boolean {
    return this.#tickets.has(ticket)
  }

  /** Sends what waits, as far as the window allows, and the acknowledgement that is due. */
  flush(): void {
    if (this.#isOver) return
    if (this.#outbox.size === 0 && this.#knowledge.isSearching) this.#searchOn()
    while (this.#outbox.size > 0 && this.#sentWindowBytes < windowBytes) this.#sendUpdates()
    this.#tickets.sent(this.#outbox.taken, this.#lastUpdates)
    this.#tickets.acked(this.#acked)
    if (this.#outbox.size === 0 && !this.#knowledge.isSearching) this.#caughtUp()
    if (this.#isAckDue) this.#sendAck()
  }

  /** Tells the neighbour of members. */
  tellMembers(members: readonly Member[]): void {
    writeMembers(this.#begin(messageType.members), members)
    this.#send([])
  }

  /** Says that this server leaves for good. */
  sayLeave(): void {
    this.#begin(messageType.leave)
    this.#send([])
  }

  /** Called every `pingMs`: asks for a sign of life, and ends the link when there is none. */
  tick(): void {
    if (this.#isOver) return
    const { clock, timings } = this.#owner
    if (this.#sent.length === 0) {
      this.#begin(messageType.ping)
      this.#send([])
    } else if (clock.monotonic() - this.#progressMs >= timings.silenceMs)
      this.end(`it acknowledged nothing for ${timings.silenceMs} ms`)
  }

  /** Takes a message of the neighbour. */
  take(message: Uint8Array): void {
    if (this.#isOver) return
    try {
      const problem = this.#take(message)
      if (problem !== undefined) this.end(problem)
    } catch (error) {
      if (!(error instanceof MessageTooShort)) throw error
      this.end('a message ended too early')
    }
  }

  /** Ends the link from this side, and tells the owner. */
  end(reason: string): void {
    if (this.#isOver) return
    this.#channel.close()
    this.closed(reason)
  }

  /** The channel has ended. Tickets stop waiting: a neighbour that is gone is not live. */
  closed(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#tickets.releaseAll()
    this.#owner.ended(this, reason)
  }

  /** The slots that the neighbour has not acknowledged; for the next link to the same life of it. */
  unacknowledged(): Set<number> {
    return new Set([...[...this.#sent].flatMap(({ slots }) => slots), ...this.#outbox.clear()])
  }

  #begin(type: number): ByteWriter {
    this.#isAckDue = false
    return writeHead(this.#writer, type, ++this.#lastNumber, this.#handled)
  }

  #send(slots: readonly number[]): void {
    const bytes = this.#writer.length
    if (this.#probe === 0) {
      this.#probe = this.#lastNumber
      this.#probeAtMs = this.#owner.clock.monotonic()
    }
    if (this.#sent.length === 0) this.#progressMs = this.#owner.clock.monotonic()
    this.#sent.push({ number: this.#lastNumber, bytes, slots })
    this.#sentWindowBytes += bytes
    this.#counts.sentBytes += bytes
    this.#channel.send(this.#writer.written)
  }

  #sendAck(): void {
    this.#begin(messageType.ack)
    this.#counts.sentBytes += this.#writer.length
    this.#channel.send(this.#writer.written)
  }

  #sendUpdates(): void {
    const { state } = this.#owner
    const slots: number[] = []
    const numbers = new Map<Origin, number>()
    let bytes = 0
    for (const slot of this.#outbox.take()) {
      if (state.originAt(slot) < 0 || this.#owner.cameBy(slot) === this.index) continue
      const record = state.read(slot, this.#record)
      if (!numbers.has(record.origin)) numbers.set(record.origin, numbers.size)
      slots.push(slot)
      bytes += textBytesOf(record) + recordHeadBytes
      if (bytes >= updatesBytes) break
    }
    if (slots.length === 0) return
    const writer = this.#begin(messageType.updates).u16(numbers.size)
    for (const { name, epoch } of numbers.keys()) writer.text(name).f64(epoch)
    writer.u16(slots.length)
    for (const slot of slots) {
      const record = state.read(slot, this.#record)
      writeRecord(writer, record, numbers.get(record.origin) as number)
    }
    this.#counts.sentRecords += slots.length
    this.#lastUpdates = this.#lastNumber
    this.#send(slots)
  }

  /** Returns what is wrong with the message; undefined when it is handled. */
  #take(message: Uint8Array): string | undefined {
    const reader = new ByteReader(message)
    const type = reader.u8()
    const number = reader.f64()
    const ack = reader.f64()
    this.#counts.receivedBytes += message.length
    if (number <= this.#handled) return undefined // A copy of what was handled.
    if (number !== this.#handled + 1) return 'messages were lost on the way'
    if (!(ack <= this.#lastNumber)) return 'it acknowledged what was never sent'
    this.#acknowledge(ack)
    const problem = this.#handle(type, reader)
    if (problem !== undefined) return problem
    this.#handled = number
    if (type === messageType.ack) return undefined
    this.#isAckDue = true
    this.#owner.flushSoon()
    return undefined
  }

  #handle(type: number, reader: ByteReader): string | undefined {
    if (type === messageType.updates) return this.#takeUpdates(reader)
    if (type === messageType.digest) this.#takeDigest(readKnown(reader))
    else if (type === messageType.complete) this.#takeComplete(readKnown(reader))
    else if (type === messageType.members) this.#owner.members(readMembers(reader), this)
    else if (type === messageType.leave) this.#owner.left(this)
    else if (type !== messageType.ack && type !== messageType.ping)
      return `it sent a message of unknown type ${type}`
    return undefined
  }

  #acknowledge(ack: number): void {
    if (ack <= this.#acked) return
    this.#acked = ack
    this.#progressMs = this.#owner.clock.monotonic()
    if (this.#probe > 0 && ack >= this.#probe) {
      this.rttMs = this.#progressMs - this.#probeAtMs
      this.#probe = 0
    }
    while ((this.#sent.peek()?.number ?? Number.POSITIVE_INFINITY) <= ack)
      this.#sentWindowBytes -= this.#sent.shift()?.bytes ?? 0
    this.#tickets.acked(this.#acked)
    if (this.#outbox.size > 0 || this.#knowledge.isSearching || this.isSlow) this.#owner.flushSoon()
  }

  #takeUpdates(reader: ByteReader): string | undefined {
    const { state } = this.#owner
    const origins: Origin[] = []
    for (let left = reader.u16(); left > 0; left--)
      origins.push(state.origins.enter(reader.text(), reader.f64()))
    for (let left = reader.u16(); left > 0; left--) {
      const origin = origins[readRecord(reader, this.#record)]
      if (!origin) return 'it sent a record that is none'
      this.#record.origin = origin
      this.#record.hops = Math.min(255, this.#record.hops + 1)
      this.#counts.receivedRecords++
      this.#owner.accept(this.#record, this)
    }
    return undefined
  }

  /** The neighbour told what it has: everything else goes to it. */
  #takeDigest(known: readonly Known[]): void {
    this.#knowledge.learn(known)
    this.#knowledge.search()
    this.#isCompared = true
    this.#owner.flushSoon()
  }

  #takeComplete(known: readonly Known[]): void {
    this.#knowledge.learn(known)
    this.#owner.complete(known)
  }

  #searchOn(): void {
    this.#knowledge.searchOn((slot) => this.#outbox.add(slot))
    if (this.#knowledge.isSearching) this.#owner.flushSoon()
  }

  /** Nothing waits any more: everything that this server has is with the neighbour or on its way. */
  #caughtUp(): void {
    if (this.#sent.length === 0) this.isSlow = false
    if (!this.#owner.sync || !this.#isCompared || this.#isCompleteDue) return
    const { clock, timings } = this.#owner
    const waitMs = this.#completeAtMs + timings.completeMs - clock.monotonic()
    if (waitMs <= 0) this.#sendComplete()
    else {
      this.#isCompleteDue = true
      clock.after(waitMs, () => {
        this.#isCompleteDue = false
        this.flush()
      })
    }
  }

  #sendComplete(): void {
    const news = this.#knowledge.tell()
    if (news.length === 0) return
    this.#completeAtMs = this.#owner.clock.monotonic()
    writeKnown(this.#begin(messageType.complete), news)
    this.#send([])
  }
}
