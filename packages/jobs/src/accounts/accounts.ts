import { randomBytes, randomUUID } from 'node:crypto'
import type { Clock } from '@drover/kernel'
import { type Insertable, type Kysely, sql, type Updateable } from 'kysely'
import { fault } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { Tables } from '../store/tables.ts'
import type { AccountOptions } from './options.ts'
import { decoyHash, hashPassword, verifyPassword } from './password.ts'
import { SigningKeys } from './signing-keys.ts'
import { LoginThrottle } from './throttle.ts'
import { type OwnQuota, quotaOf, Tokens } from './tokens.ts'

export type Role = 'user' | 'admin'

/** The longest password that is hashed, in characters. */
const passwordCharsMax = 1_024

/** An account as admins see it. */
export interface AccountEntry {
  readonly id: string
  readonly email: string
  readonly role: Role
  readonly disabled: boolean
  readonly createdMs: number
  /** What it may instead of what everybody may. */
  readonly quota: OwnQuota
}

/** Who may come in: registration, login, the first admin, secrets of callbacks. */
export class Accounts {
  readonly tokens: Tokens
  readonly keys: SigningKeys
  readonly #database: Database
  readonly #clock: Clock
  readonly #throttle: LoginThrottle
  readonly #options: AccountOptions

  constructor(database: Database, clock: Clock, options: AccountOptions) {
    this.#database = database
    this.#clock = clock
    this.#options = options
    this.keys = new SigningKeys(database, clock, options.keyMs, options.accessMs)
    this.tokens = new Tokens(database, clock, this.keys, options)
    this.#throttle = new LoginThrottle(database, clock, options)
  }

  /** Makes an account and returns its id. Throws EMAIL_TAKEN, ACCOUNT_INVALID. */
  async register(email: string, password: string, role: Role = 'user'): Promise<string> {
    const user = await this.#prepare(email, password, role)
    await insertUser(this.#database.db, user)
    return user.id
  }

  /**
   * Returns the id of the account. `client` is where the request came from, when that is known: one
   * client that guesses at many accounts is slowed, too. Throws LOGIN_FAILED, LOGIN_THROTTLED,
   * LOGINS_TOO_MANY.
   */
  async login(email: string, password: string, client?: string): Promise<string> {
    // PostgreSQL keeps no zero in a text; nobody's email has one.
    const name = email.trim().toLowerCase().slice(0, 320).replaceAll('\0', '')
    const { failuresMax, clientFailuresMax } = this.#options
    const clients = client === undefined ? [] : [`client ${client}`]
    await this.#throttle.enter([
      { key: `email ${name}`, most: failuresMax },
      ...clients.map((key) => ({ key, most: clientFailuresMax })),
    ])
    const user = await this.#find(name)
    // An unknown email takes as long as a known one.
    const hash = user?.password ?? decoyHash
    const fits = await verifyPassword(password.slice(0, passwordCharsMax), hash)
    if (!user || !fits || user.disabled !== 0)
      throw fault('LOGIN_FAILED', 'the email or the password is wrong')
    await this.#throttle.clear(`email ${name}`)
    if (clients.length > 0) await this.#throttle.forgive(clients)
    return user.id
  }

  /**
   * Makes the first admin and returns its id; undefined when there is one, also when another replica
   * makes one at the same moment. Throws EMAIL_TAKEN, ACCOUNT_INVALID.
   */
  async ensureAdmin(email: string, password: string): Promise<string | undefined> {
    if (await this.hasAdmin()) return undefined
    const user = await this.#prepare(email, password, 'admin')
    const { db, kind } = this.#database
    return db.transaction().execute(async (transaction) => {
      // SQLite lets one write at a time; PostgreSQL would let two not see each other.
      if (kind === 'postgres')
        await sql`lock table users in share row exclusive mode`.execute(transaction)
      if (await isAdminIn(transaction)) return undefined
      await insertUser(transaction, user)
      return user.id
    })
  }

  hasAdmin(): Promise<boolean> {
    return isAdminIn(this.#database.db)
  }

  /** The newest first. */
  async list(
    limit: number,
    after?: { readonly createdMs: number; readonly id: string },
  ): Promise<readonly AccountEntry[]> {
    const rows = await this.#database.db
      .selectFrom('users')
      .select(['id', 'email', 'role', 'disabled', 'created_ms', 'unfinished_max', 'per_minute_max'])
      .$if(after !== undefined, (query) =>
        query.where(sql<boolean>`(created_ms, id) < (${after?.createdMs}, ${after?.id})`),
      )
      .orderBy('created_ms', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute()
    return rows.map(({ id, email, role, disabled, created_ms, ...limits }) => ({
      ...{ id, email, role, disabled: disabled !== 0, createdMs: created_ms },
      quota: quotaOf(limits),
    }))
  }

  /**
   * Changes the password and ends all tokens; whoever guesses at the old one is slowed as at a login.
   * Throws LOGIN_FAILED, LOGIN_THROTTLED, ACCOUNT_INVALID.
   */
  async changePassword(email: string, old: string, wanted: string, client?: string): Promise<void> {
    checkPassword(wanted)
    const userId = await this.login(email, old, client)
    const password = await hashPassword(wanted)
    await this.#set(userId, { password })
    await this.tokens.revokeAll(userId)
  }

  /** Ends an account, or opens it again. Its tokens are void at once. Throws ACCOUNT_UNKNOWN. */
  async setDisabled(userId: string, disabled: boolean): Promise<void> {
    await this.#set(userId, { disabled: disabled ? 1 : 0 })
    await this.tokens.revokeAll(userId)
  }

  /** Holds from the next request on, or within `sessionCacheMs`. Throws ACCOUNT_UNKNOWN. */
  async setRole(userId: string, role: Role): Promise<void> {
    await this.#set(userId, { role })
    this.tokens.forget()
  }

  /** Null is what everybody may; what is left out stays. Throws ACCOUNT_UNKNOWN. */
  async setQuota(
    userId: string,
    quota: { unfinishedMax?: number | null; perMinuteMax?: number | null },
  ): Promise<void> {
    const { unfinishedMax, perMinuteMax } = quota
    await this.#set(userId, {
      ...(unfinishedMax === undefined ? {} : { unfinished_max: unfinishedMax }),
      ...(perMinuteMax === undefined ? {} : { per_minute_max: perMinuteMax }),
    })
    this.tokens.forget()
  }

  /** The secret that signs callbacks to this account's receivers. */
  async webhookSecret(userId: string): Promise<string> {
    const row = await this.#database.db
      .selectFrom('users')
      .select('webhook_secret')
      .where('id', '=', userId)
      .executeTakeFirstOrThrow()
    return row.webhook_secret
  }

  /** Gives a new one; the one before signs beside it for `webhookOverlapMs`. */
  async rotateWebhookSecret(userId: string): Promise<string> {
    const secret = newWebhookSecret()
    await this.#database.db
      .updateTable('users')
      .set((build) => ({ webhook_secret_before: build.ref('webhook_secret') }))
      .set({
        webhook_secret: secret,
        webhook_before_until_ms: this.#clock.now() + this.#options.webhookOverlapMs,
      })
      .where('id', '=', userId)
      .execute()
    return secret
  }

  /** Forgets expired tokens and old failures. */
  async tidy(): Promise<void> {
    await this.tokens.tidy()
    await this.#throttle.tidy()
  }

  async #set(userId: string, values: Updateable<Tables['users']>): Promise<void> {
    const { numUpdatedRows } = await this.#database.db
      .updateTable('users')
      .set({ id: userId, ...values })
      .where('id', '=', userId)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw fault('ACCOUNT_UNKNOWN', `there is no account ${userId}`)
  }

  async #prepare(email: string, password: string, role: Role): Promise<NewUser> {
    const checked = checkEmail(email)
    checkPassword(password)
    if (await this.#find(checked)) throw taken()
    return {
      ...{ id: randomUUID(), email: checked, role, created_ms: this.#clock.now() },
      ...{ tokens_from_ms: 0, disabled: 0, password: await hashPassword(password) },
      ...{ webhook_secret: newWebhookSecret(), webhook_secret_before: null },
      webhook_before_until_ms: 0,
    }
  }

  #find(email: string) {
    return this.#database.db
      .selectFrom('users')
      .select(['id', 'password', 'disabled'])
      .where('email', '=', email)
      .executeTakeFirst()
  }
}

type NewUser = Insertable<Tables['users']> & { readonly id: string }

/** Throws EMAIL_TAKEN. */
async function insertUser(db: Kysely<Tables>, user: NewUser): Promise<void> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('users')
    .values(user)
    .onConflict((conflict) => conflict.column('email').doNothing())
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows === 0n) throw taken()
}

async function isAdminIn(db: Kysely<Tables>): Promise<boolean> {
  const admins = db.selectFrom('users').select('id').where('role', '=', 'admin')
  return (await admins.limit(1).executeTakeFirst()) !== undefined
}

/** Standard Webhooks' form of a secret. */
function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

function checkEmail(email: string): string {
  const name = email.trim().toLowerCase()
  if (name.length > 254 || !/^[^\s\p{Cc}@"<>]{1,64}@[^\s\p{Cc}@"<>]+$/u.test(name))
    throw fault('ACCOUNT_INVALID', 'email: not an email address')
  return name
}

function checkPassword(password: string): void {
  if (password.length === 0 || password.length > passwordCharsMax)
    throw fault('ACCOUNT_INVALID', `password: 1 to ${passwordCharsMax} characters`)
}

function taken() {
  return fault('EMAIL_TAKEN', 'somebody has registered with that email')
}
