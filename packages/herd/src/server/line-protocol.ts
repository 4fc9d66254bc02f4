import { describeError, Fault } from '@drover/kernel'
import type { HerdNode } from '../flood/node.ts'
import type { Ticket } from '../flood/ticket.ts'
import type { PlaceService } from '../places/place-service.ts'
import { type PlacesQuery, renderPlaces } from '../places/places.ts'
import { copyBytes, LF, latin1, SPACE, viewOf } from '../protocol/bytes.ts'
import { type Command, createCommand, readCommand } from '../protocol/command.ts'
import { type Instant, writeDifference } from '../protocol/decimal.ts'
import type { LocationProfile } from '../protocol/location.ts'
import { refused } from '../state/herd-state.ts'
import { createRecord, type HerdRecord, locationKind, textBytesOf } from '../state/record.ts'
import type { WallClock } from '../wall-clock.ts'
import type { ActivityLog } from './activity-log.ts'
import type { AnswerBuffer } from './answer-buffer.ts'
import type { LineHandler } from './client-connection.ts'

/** What the line protocol stands on. */
export interface LineProtocolOptions {
  readonly node: HerdNode
  readonly places: PlaceService
  readonly profile: LocationProfile
  /** How far ahead a client's clock may be, in ms; Infinity: as far as it likes. */
  readonly skewMs: number
  readonly clock: WallClock
  readonly log: ActivityLog | undefined
}

/** Lines answered since the start, by what they were. */
export interface LineCounts {
  iamat: number
  whatsat: number
  invalid: number
}

/** The longest difference: a sign, 16 digits, a point and nine digits. */
const differenceBytesMax = 27

/**
 * Answers the lines of clients: this is the contract's section 1.
 *
 *   IAMAT ─▶ difference ─▶ publish (store, flood) ─▶ AT
 *   WHATSAT ─▶ find ─▶ places ─▶ AT + JSON
 *   anything else ─▶ ? line
 */
export class LineProtocol implements LineHandler {
  readonly counts: LineCounts = { iamat: 0, whatsat: 0, invalid: 0 }
  readonly #options: LineProtocolOptions
  readonly #command: Command = createCommand()
  readonly #now: Instant = { seconds: 0, nanos: 0 }
  readonly #record: HerdRecord = createRecord()
  readonly #found: HerdRecord = createRecord()
  readonly #name: Uint8Array

  constructor(options: LineProtocolOptions) {
    this.#options = options
    const { name, epoch } = options.node.identity
    this.#name = options.node.state.origins.enter(name, epoch).nameBytes
  }

  get nowMs(): number {
    return this.#now.seconds * 1_000 + Math.floor(this.#now.nanos / 1_000_000)
  }

  line(
    bytes: Uint8Array,
    start: number,
    end: number,
    answers: AnswerBuffer,
  ): Ticket | Promise<Buffer> | undefined {
    const command = this.#command
    this.#options.clock.read(this.#now)
    readCommand(bytes, start, end, this.#options.profile, command)
    if (command.kind === 'iamat') return this.#iamat(bytes, start, end, answers)
    if (command.kind === 'whatsat') return this.#whatsat(bytes, start, end, answers)
    if (command.kind === 'invalid') this.#complain(bytes, start, end, answers)
    return undefined
  }

  #iamat(bytes: Uint8Array, start: number, end: number, answers: AnswerBuffer): Ticket | undefined {
    const { node } = this.#options
    this.counts.iamat++
    const before = answers.length
    const record = this.#answer(bytes, answers)
    const stored = this.#isAhead(bytes) ? refused.old : node.publish(record)
    if (stored === refused.full) {
      this.#options.log?.event('herd.state.full', { records: node.state.count })
      answers.length = before
      this.#complain(bytes, start, end, answers)
      return undefined
    }
    return stored >= 0 ? node.ticket() : undefined
  }

  /** Appends the answer to an IAMAT and returns its record, whose text is the answer's. */
  #answer(bytes: Uint8Array, answers: AnswerBuffer): HerdRecord {
    const command = this.#command
    const record = this.#record
    const { clientStart, clientEnd, locationStart, locationEnd, timeStart, timeEnd } = command
    const keyBytes = clientEnd - clientStart
    const valueBytes = locationEnd - locationStart
    const timeBytes = timeEnd - timeStart
    const textBytesMax = differenceBytesMax + keyBytes + valueBytes + timeBytes + 3
    const textStart = beginAt(answers, this.#name, textBytesMax)
    const text = answers.bytes
    let to = writeDifference(this.#now, command, text, textStart)
    record.differenceBytes = to - textStart
    text[to++] = SPACE
    to = this.#operands(viewOf(bytes), answers.view, to)
    text[to++] = LF
    answers.length = to
    record.kind = locationKind
    record.text = text
    record.textStart = textStart
    record.keyBytes = keyBytes
    record.valueBytes = valueBytes
    record.timeBytes = timeBytes
    record.seconds = command.seconds
    record.nanos = command.nanos
    record.latitude = command.latitude
    record.longitude = command.longitude
    record.heardMs = this.nowMs
    return record
  }

  /** Appends the three operands, a space between two, and returns where they end. */
  #operands(line: DataView, target: DataView, at: number): number {
    const { clientStart, clientEnd, locationStart, locationEnd, timeStart, timeEnd } = this.#command
    const blanks = timeStart - locationEnd + locationStart - clientEnd
    const first = line.getUint8(clientEnd)
    // Almost always they came with one space between two: then they are one run of bytes.
    if (blanks === 2 && first === SPACE && line.getUint8(locationEnd) === SPACE)
      return copyBytes(line, clientStart, timeEnd, target, at)
    let to = copyBytes(line, clientStart, clientEnd, target, at)
    target.setUint8(to, SPACE)
    to = copyBytes(line, locationStart, locationEnd, target, to + 1)
    target.setUint8(to, SPACE)
    return copyBytes(line, timeStart, timeEnd, target, to + 1)
  }

  /** Too far ahead of this server's clock: it would block its client until that time. */
  #isAhead(bytes: Uint8Array): boolean {
    const { skewMs, log } = this.#options
    const { seconds, nanos, clientStart, clientEnd } = this.#command
    const aheadMs = (seconds - this.#now.seconds) * 1_000 + (nanos - this.#now.nanos) / 1e6
    if (aheadMs <= skewMs) return false
    const client = latin1(bytes, clientStart, clientEnd).slice(0, 256)
    log?.event('herd.clock.ahead', { client, aheadMs })
    return true
  }

  #whatsat(
    bytes: Uint8Array,
    start: number,
    end: number,
    answers: AnswerBuffer,
  ): Promise<Buffer> | undefined {
    const { state, clock } = this.#options.node
    const { clientStart, clientEnd, radiusKm, bound } = this.#command
    const slot = state.find(locationKind, bytes, clientStart, clientEnd)
    if (slot < 0 || !state.isLive(slot, clock.now())) {
      this.#command.reason = 'unknown client'
      this.#complain(bytes, start, end, answers)
      return undefined
    }
    this.counts.whatsat++
    const record = state.read(slot, this.#found)
    const { latitude, longitude } = record
    const before = answers.length
    writeAt(answers, record.origin.nameBytes, record)
    const at = Buffer.from(answers.bytes.subarray(before, answers.length))
    answers.length = before
    // In millimetres and back: 1.1 km times 1,000 is 1,100.0000000000002.
    const radiusMeters = Math.round(radiusKm * 1_000_000) / 1_000
    const query = { latitude, longitude, radiusMeters, limit: bound }
    return this.#placesNear(query, at, latin1(bytes, start, end))
  }

  async #placesNear(query: PlacesQuery, at: Buffer, line: string): Promise<Buffer> {
    try {
      const answer = await this.#options.places.answer(query)
      return Buffer.concat([at, renderPlaces(answer, query.limit)])
    } catch (error) {
      const code = error instanceof Fault ? error.code : 'INTERNAL'
      this.#options.log?.event('herd.places.failed', { code, cause: describeError(error) })
      return Buffer.from(`? ${line}\n`, 'latin1')
    }
  }

  #complain(bytes: Uint8Array, start: number, end: number, answers: AnswerBuffer): void {
    this.counts.invalid++
    answers.complain(bytes, start, end)
  }
}

/** Appends an AT line: the server's id and the record's text as it is. */
function writeAt(answers: AnswerBuffer, name: Uint8Array, record: HerdRecord): void {
  const { text, textStart } = record
  const textBytes = textBytesOf(record)
  const to = beginAt(answers, name, textBytes)
  const end = copyBytes(viewOf(text), textStart, textStart + textBytes, answers.view, to)
  answers.bytes[end] = LF
  answers.length = end + 1
}

/** Makes room for an AT line, begins it, and returns where its text comes. */
function beginAt(answers: AnswerBuffer, name: Uint8Array, textBytes: number): number {
  answers.room(textBytes + name.length + 5)
  const { bytes } = answers
  let to = answers.length
  bytes[to++] = 65 // A
  bytes[to++] = 84 // T
  bytes[to++] = SPACE
  for (let at = 0; at < name.length; at++) bytes[to++] = name[at] as number
  bytes[to++] = SPACE
  return to
}
