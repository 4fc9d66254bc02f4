import { randomBytes } from 'node:crypto'
import { type Clock, randomToken } from '@drover/kernel'
import type { Database } from '../store/database.ts'

/** One key that signs tokens, told by its id. */
export interface SigningKey {
  readonly kid: string
  readonly secret: Uint8Array
  readonly createdMs: number
}

/** Unknown key ids make a replica look into the store no more often than this. */
const lookAgainMs = 1_000

/**
 * The keys of the store, shared by all replicas. The newest signs; an older one verifies as long as
 * a token that it signed may live.
 */
export class SigningKeys {
  readonly #database: Database
  readonly #clock: Clock
  readonly #signsMs: number
  readonly #verifiesMs: number
  #keys: readonly SigningKey[] = []
  #readAtMs = Number.NEGATIVE_INFINITY

  constructor(database: Database, clock: Clock, signsMs: number, tokenMs: number) {
    this.#database = database
    this.#clock = clock
    this.#signsMs = signsMs
    this.#verifiesMs = signsMs + tokenMs
  }

  /** Returns the key to sign with, made when there is none or the last is too old. */
  async current(): Promise<SigningKey> {
    const newest = this.#newest() ?? (await this.#read()).#newest()
    return newest ?? this.rotate()
  }

  /** Returns the key of that id; undefined when there is none that still verifies. */
  async find(kid: string): Promise<SigningKey | undefined> {
    const known = this.#keys.find((key) => key.kid === kid)
    if (known) return this.#age(known) < this.#verifiesMs ? known : undefined
    if (this.#clock.monotonic() - this.#readAtMs < lookAgainMs) return undefined
    return (await this.#read()).#keys.find((key) => key.kid === kid)
  }

  /** Makes a new key, which signs from now on, and removes those that verify nothing any more. */
  async rotate(): Promise<SigningKey> {
    const key = { kid: randomToken(9), secret: randomBytes(32), createdMs: this.#clock.now() }
    const { db } = this.#database
    await db
      .insertInto('signing_keys')
      .values({
        kid: key.kid,
        secret: key.secret.toString('base64url'),
        created_ms: key.createdMs,
      })
      .execute()
    await db
      .deleteFrom('signing_keys')
      .where('created_ms', '<', this.#clock.now() - this.#verifiesMs)
      .execute()
    await this.#read()
    return this.#newest() ?? key
  }

  #newest(): SigningKey | undefined {
    return this.#keys.find((key) => this.#age(key) < this.#signsMs)
  }

  #age({ createdMs }: SigningKey): number {
    return this.#clock.now() - createdMs
  }

  async #read(): Promise<this> {
    const rows = await this.#database.db
      .selectFrom('signing_keys')
      .selectAll()
      .orderBy('created_ms', 'desc')
      .orderBy('kid')
      .execute()
    this.#keys = rows.map((row) => ({
      kid: row.kid,
      secret: Buffer.from(row.secret, 'base64url'),
      createdMs: row.created_ms,
    }))
    this.#readAtMs = this.#clock.monotonic()
    return this
  }
}
