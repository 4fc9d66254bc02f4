import type { Origins } from '../state/origins.ts'
import type { ByteReader, ByteWriter } from './byte-writer.ts'

/** What a message between servers is, in its first byte. Drawn in docs/formats/herd-peer.md. */
export const messageType = {
  /** Who dials, and a challenge. */
  hello: 1,
  /** Who answers, a challenge back, and the proof. */
  challenge: 2,
  /** The dialler's proof. */
  proof: 3,
  /** The acceptor has checked it: the link is up. */
  welcome: 4,
  /** Records. */
  updates: 5,
  /** Nothing but the number of the last message handled. */
  ack: 6,
  /** Asks for an acknowledgement. */
  ping: 7,
  /** What the sender has, by origin: anti-entropy begins. */
  digest: 8,
  /** Everything up to these numbers has been sent. */
  complete: 9,
  /** Servers of the herd and where they are. */
  members: 10,
  /** The sender leaves the herd for good. */
  leave: 11,
} as const

/** Begins a message of a link that is up: type, its number from 1, number of the last one handled. */
export function writeHead(
  writer: ByteWriter,
  type: number,
  number: number,
  ack: number,
): ByteWriter {
  return writer.reset().u8(type).f64(number).f64(ack)
}

/** How far one origin is known. */
export interface Known {
  readonly name: string
  readonly epoch: number
  readonly sequence: number
}

/** A list of them is at most this long. */
const knownMax = 65_535

/** Appends a digest: what is known of each origin. */
export function writeKnown(writer: ByteWriter, known: readonly Known[]): void {
  writer.u16(Math.min(known.length, knownMax))
  for (const { name, epoch, sequence } of known.slice(0, knownMax))
    writer.text(name).f64(epoch).f64(sequence)
}

/** Reads a digest. Throws `MessageTooShort`. */
export function readKnown(reader: ByteReader): Known[] {
  const known: Known[] = []
  for (let left = reader.u16(); left > 0; left--)
    known.push({ name: reader.text(), epoch: reader.f64(), sequence: reader.f64() })
  return known
}

/** Returns the digest of everything that is known here. */
export function digestOf(origins: Origins): Known[] {
  return [...origins.all()]
    .filter(({ sequence }) => sequence > 0)
    .map(({ name, epoch, sequence }) => ({ name, epoch, sequence }))
}

/** A server of the herd as others tell of it. */
export interface Member {
  readonly name: string
  readonly host: string
  /** Of its port for peers. */
  readonly port: number
  /** The wall time of its start, in ms: what is told of a later life counts. */
  readonly epoch: number
  readonly hasLeft: boolean
}

/** Members told in one message; more are told in the next. */
const membersMax = 2_000

/** Appends a list of members. */
export function writeMembers(writer: ByteWriter, members: readonly Member[]): void {
  const told = members.slice(0, membersMax)
  writer.u16(told.length)
  for (const { name, host, port, epoch, hasLeft } of told)
    writer
      .text(name)
      .text(host)
      .u16(port)
      .f64(epoch)
      .u8(hasLeft ? 1 : 0)
}

/** Reads a list of members. Throws `MessageTooShort`. */
export function readMembers(reader: ByteReader): Member[] {
  const members: Member[] = []
  for (let left = reader.u16(); left > 0; left--)
    members.push({
      name: reader.text(),
      host: reader.text(),
      port: reader.u16(),
      epoch: reader.f64(),
      hasLeft: reader.u8() === 1,
    })
  return members
}
