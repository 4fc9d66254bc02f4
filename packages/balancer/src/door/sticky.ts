import { createHmac, timingSafeEqual } from 'node:crypto'
import type { StickyPlan } from '../plan.ts'
import { cookieValue } from './request-key.ts'

const rememberedMax = 10_000

/** Signed cookies that bring a client back to its replica; a client cannot make one itself. */
export class Sticky {
  readonly #plan: StickyPlan
  /** Cookies seen to be right, and their replicas: a signature is checked once. */
  readonly #known = new Map<string, string>()

  constructor(plan: StickyPlan) {
    this.#plan = plan
  }

  /** Returns the replica id that the Cookie header names, if its signature is ours. */
  replicaOf(cookieHeader: string | undefined): string | undefined {
    const cookie = cookieValue(cookieHeader, this.#plan.cookie)
    if (cookie === '' || cookie.length > 512) return undefined
    const known = this.#known.get(cookie)
    if (known !== undefined) return known
    const [encoded = '', signature = ''] = cookie.split('.')
    const id = Buffer.from(encoded, 'base64url').toString()
    const expected = Buffer.from(this.#sign(id))
    const given = Buffer.from(signature)
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    this.#remember(cookie, id)
    return id
  }

  /** Returns the Set-Cookie line that brings the client back to `replica`. */
  line(replica: string, secure: boolean): string {
    const value = `${Buffer.from(replica).toString('base64url')}.${this.#sign(replica)}`
    const flags = secure ? '; Secure' : ''
    return `set-cookie: ${this.#plan.cookie}=${value}; Path=/; HttpOnly; SameSite=Lax${flags}\r\n`
  }

  #remember(cookie: string, id: string): void {
    if (this.#known.size >= rememberedMax) this.#known.clear()
    this.#known.set(cookie, id)
  }

  #sign(replica: string): string {
    return createHmac('sha256', this.#plan.secret).update(replica).digest('base64url').slice(0, 27)
  }
}
