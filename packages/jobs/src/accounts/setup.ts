import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { Accounts } from './accounts.ts'

/** How long the token is good, in ms. */
const goodMs = 86_400_000

/** Lets the first admin in, by a token that is shown once to whoever starts the service. */
export class Setup {
  readonly #accounts: Accounts
  readonly #clock: Clock
  #digest: Buffer | undefined
  #untilMs = 0

  constructor(accounts: Accounts, clock: Clock) {
    this.#accounts = accounts
    this.#clock = clock
  }

  /** Takes the token that lets the first admin in; false when there is an admin already. */
  async offer(token: string): Promise<boolean> {
    if (await this.#accounts.hasAdmin()) return false
    this.#digest = digestOf(token)
    this.#untilMs = this.#clock.now() + goodMs
    return true
  }

  /** Makes the first admin. The token is good once. Throws SETUP_REFUSED, ACCOUNT_INVALID. */
  async claim(token: string, email: string, password: string): Promise<string> {
    const digest = this.#digest
    const fits = digest !== undefined && timingSafeEqual(digest, digestOf(token))
    if (!fits || this.#clock.now() > this.#untilMs) throw refused()
    // Taken while it is used: a second request at the same moment finds none.
    this.#digest = undefined
    try {
      const id = await this.#accounts.ensureAdmin(email, password)
      if (id !== undefined) return id
    } catch (error) {
      this.#digest = digest
      throw error
    }
    throw refused()
  }
}

function refused() {
  return fault('SETUP_REFUSED', 'the token is wrong or was used')
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
