import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Address } from '@drover/kernel'
import { ByteReader, ByteWriter, MessageTooShort } from './byte-writer.ts'
import { messageType } from './messages.ts'

/** Who a server is, as it says itself when a link is made. */
export interface Identity {
  readonly name: string
  /** The wall time of its start, in ms. */
  readonly epoch: number
  /** Where it takes connections of peers; others may be told of it. */
  readonly address: Address
}

/** How a step of the handshake ended. */
export type HandshakeStep =
  | { readonly kind: 'more' }
  | { readonly kind: 'proved'; readonly peer: Identity }
  | { readonly kind: 'refused'; readonly reason: string }

/** The names that a server may have: they are a word of the line protocol and of a log. */
export const namePattern = /^[A-Za-z0-9_.-]{1,64}$/

const magic = 0x4452_4852 // "DRHR"
const version = 1
const nonceBytes = 32
const proofBytes = 32

/**
 * Two servers prove to each other that they know the herd's key, without saying it:
 *
 *   dialler  ── hello: who I am, nonce A ──────────────────▶ acceptor
 *            ◀── challenge: who I am, nonce B, HMAC(…A…B) ──
 *            ── proof: HMAC(…A…B) ─────────────────────────▶
 *            ◀── welcome ───────────────────────────────────
 *
 * Each HMAC-SHA256 covers both identities, both nonces and the role, so that no answer can be used
 * twice or sent back to its maker. It proves who is at the other end, not that nobody reads or
 * changes what follows: on networks where that matters, add TLS.
 */
export class Handshake {
  readonly #role: 'dialler' | 'acceptor'
  readonly #self: Identity
  readonly #key: Uint8Array
  readonly #send: (message: Uint8Array) => void
  readonly #expected: string | undefined
  #stage: 'hello' | 'challenge' | 'proof' | 'welcome' | 'over'
  #hello: Buffer = Buffer.alloc(0)
  #challenge: Buffer = Buffer.alloc(0)
  #peer: Identity | undefined

  /** `expected` is the name that the dialler wants to reach; absent: any. */
  constructor(
    role: 'dialler' | 'acceptor',
    self: Identity,
    key: Uint8Array,
    send: (message: Uint8Array) => void,
    expected?: string,
  ) {
    this.#role = role
    this.#self = self
    this.#key = key
    this.#send = send
    this.#expected = expected
    this.#stage = role === 'dialler' ? 'challenge' : 'hello'
  }

  /** Says hello, if this end is the one that dials. */
  start(): void {
    if (this.#role !== 'dialler') return
    const writer = new ByteWriter().u8(messageType.hello).u32(magic).u16(version)
    this.#hello = Buffer.from(writeIdentity(writer, this.#self, randomBytes(nonceBytes)).written)
    this.#send(this.#hello)
  }

  /** Takes the next message of the other end. Never throws: whatever is wrong is a refusal. */
  take(message: Uint8Array): HandshakeStep {
    try {
      return this.#take(message)
    } catch (error) {
      if (error instanceof MessageTooShort) return refuse('a message was too short')
      throw error
    }
  }

  #take(message: Uint8Array): HandshakeStep {
    const reader = new ByteReader(message)
    const type = reader.u8()
    if (this.#stage === 'hello' && type === messageType.hello) return this.#onHello(reader)
    if (this.#stage === 'challenge' && type === messageType.challenge)
      return this.#onChallenge(reader)
    if (this.#stage === 'proof' && type === messageType.proof) return this.#onProof(reader)
    if (this.#stage === 'welcome' && type === messageType.welcome) return this.#prove()
    return refuse('it does not speak the protocol of peers')
  }

  #onHello(reader: ByteReader): HandshakeStep {
    if (reader.u32() !== magic || reader.u16() !== version)
      return refuse('it speaks another protocol or version')
    const peer = readIdentity(reader)
    if (typeof peer === 'string') return refuse(peer)
    if (peer.name === this.#self.name) return refuse(`it claims our own name, ${peer.name}`)
    this.#peer = peer
    this.#hello = Buffer.from(reader.bytes)
    const writer = new ByteWriter().u8(messageType.challenge)
    this.#challenge = Buffer.from(
      writeIdentity(writer, this.#self, randomBytes(nonceBytes)).written,
    )
    this.#stage = 'proof'
    this.#send(Buffer.concat([this.#challenge, this.#proofOf('acceptor')]))
    return { kind: 'more' }
  }

  #onChallenge(reader: ByteReader): HandshakeStep {
    const peer = readIdentity(reader)
    if (typeof peer === 'string') return refuse(peer)
    this.#challenge = Buffer.from(reader.bytes.subarray(0, reader.at))
    if (!this.#isProof(reader, 'acceptor')) return refuse(`${peer.name} does not know the key`)
    if (peer.name === this.#self.name) return refuse('it is this very server')
    if (this.#expected !== undefined && peer.name !== this.#expected)
      return refuse(`it is ${peer.name}, not ${this.#expected}`)
    this.#peer = peer
    this.#stage = 'welcome'
    this.#send(Buffer.concat([Buffer.of(messageType.proof), this.#proofOf('dialler')]))
    return { kind: 'more' }
  }

  #onProof(reader: ByteReader): HandshakeStep {
    if (!this.#isProof(reader, 'dialler'))
      return refuse(`${this.#peer?.name} does not know the key`)
    return this.#prove()
  }

  /** Tells a dialler that has proved itself that the link is up. */
  welcome(): void {
    if (this.#role === 'acceptor') this.#send(Buffer.of(messageType.welcome))
  }

  #prove(): HandshakeStep {
    this.#stage = 'over'
    if (!this.#peer) return refuse('nobody said who it is')
    return { kind: 'proved', peer: this.#peer }
  }

  #proofOf(role: 'dialler' | 'acceptor'): Buffer {
    return createHmac('sha256', this.#key)
      .update(`drover herd ${role}\n`)
      .update(this.#hello)
      .update(this.#challenge)
      .digest()
  }

  #isProof(reader: ByteReader, role: 'dialler' | 'acceptor'): boolean {
    const start = reader.skip(proofBytes)
    const given = reader.bytes.subarray(start, start + proofBytes)
    return reader.left === 0 && timingSafeEqual(given, this.#proofOf(role))
  }
}

function refuse(reason: string): HandshakeStep {
  return { kind: 'refused', reason }
}

function writeIdentity(writer: ByteWriter, self: Identity, nonce: Uint8Array): ByteWriter {
  return writer
    .text(self.name)
    .f64(self.epoch)
    .text(self.address.host)
    .u16(self.address.port)
    .raw(nonce, 0, nonceBytes)
}

function readIdentity(reader: ByteReader): Identity | string {
  const name = reader.text()
  const epoch = reader.f64()
  const host = reader.text()
  const port = reader.u16()
  reader.skip(nonceBytes)
  if (!namePattern.test(name)) return 'its name is no name of a server'
  if (!Number.isFinite(epoch) || host.length > 255) return 'what it says of itself is no identity'
  return { name, epoch, address: { host, port } }
}
