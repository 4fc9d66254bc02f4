import { createHash } from 'node:crypto'
import { type Clock, Fault, randomToken } from '@drover/kernel'
import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import type { Kysely } from 'kysely'
import { fault } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { Tables } from '../store/tables.ts'
import type { AccountOptions } from './options.ts'
import type { SigningKeys } from './signing-keys.ts'

/** What an account may instead of what everybody may. 0 means no limit. */
export interface OwnQuota {
  readonly unfinishedMax?: number
  readonly perMinuteMax?: number
}

/** Who sent a request. */
export interface Identity {
  readonly userId: string
  readonly email: string
  readonly role: 'user' | 'admin'
  readonly quota: OwnQuota
  /** Names the token itself. */
  readonly jti: string
  readonly expiresMs: number
}

/** What a login gives. */
export interface TokenPair {
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresInMs: number
}

const issuer = 'drover-jobs'

/** Identities that a replica remembers for the moment. */
const cachedMax = 10_000

interface Cached {
  readonly identity: Identity
  readonly untilMs: number
}

/** Gives out tokens, and tells who holds one. */
export class Tokens {
  readonly #database: Database
  readonly #clock: Clock
  readonly #keys: SigningKeys
  readonly #options: AccountOptions
  readonly #cache = new Map<string, Cached>()

  constructor(database: Database, clock: Clock, keys: SigningKeys, options: AccountOptions) {
    this.#database = database
    this.#clock = clock
    this.#keys = keys
    this.#options = options
  }

  /** Signs an access token for a user (HS256, the key named by kid). */
  async issue(userId: string): Promise<string> {
    const key = await this.#keys.current()
    const nowMs = this.#clock.now()
    return new SignJWT({ iat_ms: nowMs })
      .setProtectedHeader({ alg: 'HS256', kid: key.kid, typ: 'JWT' })
      .setSubject(userId)
      .setIssuer(issuer)
      .setJti(randomToken(12))
      .setIssuedAt(Math.floor(nowMs / 1_000))
      .setExpirationTime(Math.floor((nowMs + this.#options.accessMs) / 1_000))
      .sign(key.secret)
  }

  /** Gives a new access token and a refresh token of a new family. */
  async issuePair(userId: string): Promise<TokenPair> {
    const refreshToken = await this.#keepRefresh(this.#database.db, userId, randomToken(12))
    return this.#pairOf(userId, refreshToken)
  }

  /**
   * Changes a refresh token for a new pair, once. A second use means that somebody stole it: then
   * its whole family ends. Throws TOKEN_REFUSED.
   */
  async refresh(token: string): Promise<TokenPair> {
    // The use and what it gives in one: who is late by a moment ends that, too.
    const given = await this.#database.db.transaction().execute(async (transaction) => {
      const row = await transaction
        .updateTable('refresh_tokens')
        .set((build) => ({ used: build('used', '+', 1) }))
        .where('hash', '=', hashOf(token))
        .returningAll()
        .executeTakeFirst()
      if (!row || row.expires_ms <= this.#clock.now()) return undefined
      const { family, user_id: userId } = row
      if (row.used === 1)
        return { userId, refreshToken: await this.#keepRefresh(transaction, userId, family) }
      await transaction.deleteFrom('refresh_tokens').where('family', '=', family).execute()
      return undefined
    })
    if (!given) throw refused()
    await this.#account(given.userId)
    return this.#pairOf(given.userId, given.refreshToken)
  }

  /** Ends a login: the refresh token and all that came from it. One that is none changes nothing. */
  async endLogin(refreshToken: string): Promise<void> {
    const { db } = this.#database
    const family = db
      .selectFrom('refresh_tokens')
      .select('family')
      .where('hash', '=', hashOf(refreshToken))
    await db.deleteFrom('refresh_tokens').where('family', 'in', family).execute()
  }

  /**
   * Returns who holds the access token. While the store is away, whoever was known within
   * `storeAwayMs` before still is. Throws TOKEN_REFUSED when it is expired, forged or revoked.
   */
  async identify(token: string): Promise<Identity> {
    const nowMs = this.#clock.now()
    const found = this.#cache.get(token)
    const cached = found && nowMs < found.identity.expiresMs ? found : undefined
    if (cached && nowMs < cached.untilMs) return cached.identity
    const identity = await this.#verify(token).catch((error) => {
      const isGood = cached && nowMs < cached.untilMs + this.#options.storeAwayMs
      if (isGood && error instanceof Fault && error.code === 'STORE_UNAVAILABLE')
        return cached.identity
      throw error
    })
    if (identity === cached?.identity) return identity
    if (this.#cache.size >= cachedMax) this.#cache.clear()
    this.#cache.set(token, { identity, untilMs: nowMs + this.#options.sessionCacheMs })
    return identity
  }

  /** Looks at the store again for everybody: something about accounts has changed. */
  forget(): void {
    this.#cache.clear()
  }

  /** Ends one access token. Other replicas learn of it within `sessionCacheMs`. */
  async revoke({ jti, expiresMs }: Identity): Promise<void> {
    this.#cache.clear()
    await this.#database.db
      .insertInto('revoked_tokens')
      .values({ jti, expires_ms: expiresMs })
      .onConflict((conflict) => conflict.column('jti').doNothing())
      .execute()
  }

  /** Ends every token of a user that was issued before now. */
  async revokeAll(userId: string): Promise<void> {
    this.#cache.clear()
    const { db } = this.#database
    await db
      .updateTable('users')
      .set({ tokens_from_ms: this.#clock.now() })
      .where('id', '=', userId)
      .execute()
    await db.deleteFrom('refresh_tokens').where('user_id', '=', userId).execute()
  }

  /** Forgets what has expired. */
  async tidy(): Promise<void> {
    const nowMs = this.#clock.now()
    const { db } = this.#database
    await db.deleteFrom('refresh_tokens').where('expires_ms', '<', nowMs).execute()
    await db.deleteFrom('revoked_tokens').where('expires_ms', '<', nowMs).execute()
  }

  async #keepRefresh(db: Kysely<Tables>, userId: string, family: string): Promise<string> {
    const refreshToken = randomToken(32)
    await db
      .insertInto('refresh_tokens')
      .values({
        ...{ hash: hashOf(refreshToken), family, user_id: userId, used: 0 },
        expires_ms: this.#clock.now() + this.#options.refreshMs,
      })
      .execute()
    return refreshToken
  }

  async #pairOf(userId: string, refreshToken: string): Promise<TokenPair> {
    const accessToken = await this.issue(userId)
    return { accessToken, refreshToken, expiresInMs: this.#options.accessMs }
  }

  async #verify(token: string): Promise<Identity> {
    const { sub, jti, exp, iat_ms } = await this.#payload(token)
    if (typeof sub !== 'string' || typeof jti !== 'string' || exp === undefined) throw refused()
    // Whoever's issue time cannot be compared would outlive every revocation.
    if (typeof iat_ms !== 'number') throw refused()
    const revoked = await this.#database.db
      .selectFrom('revoked_tokens')
      .select('jti')
      .where('jti', '=', jti)
      .executeTakeFirst()
    const user = await this.#account(sub)
    if (revoked || iat_ms < user.tokens_from_ms) throw refused()
    const { email, role, ...limits } = user
    return { userId: sub, email, role, quota: quotaOf(limits), jti, expiresMs: exp * 1_000 }
  }

  async #payload(token: string) {
    try {
      const { kid } = decodeProtectedHeader(token)
      const key = typeof kid === 'string' ? await this.#keys.find(kid) : undefined
      if (!key) throw refused()
      const currentDate = new Date(this.#clock.now())
      const options = { algorithms: ['HS256'], issuer, currentDate }
      return (await jwtVerify(token, key.secret, options)).payload
    } catch (cause) {
      if ((cause as { code?: string }).code === 'STORE_UNAVAILABLE') throw cause
      throw fault('TOKEN_REFUSED', 'the token is not valid', { cause })
    }
  }

  async #account(userId: string) {
    const user = await this.#database.db
      .selectFrom('users')
      .select(['email', 'role', 'tokens_from_ms', 'disabled', 'unfinished_max', 'per_minute_max'])
      .where('id', '=', userId)
      .executeTakeFirst()
    if (user?.disabled !== 0) throw refused()
    return user
  }
}

/** Returns what an account's row says of its quotas. */
export function quotaOf(row: {
  readonly unfinished_max: number | null
  readonly per_minute_max: number | null
}): OwnQuota {
  return {
    ...(row.unfinished_max === null ? {} : { unfinishedMax: row.unfinished_max }),
    ...(row.per_minute_max === null ? {} : { perMinuteMax: row.per_minute_max }),
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function refused() {
  return fault('TOKEN_REFUSED', 'the token is not valid')
}
