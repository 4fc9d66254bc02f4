import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { fault } from '../errors.ts'

const derive = promisify(argon2) as (algorithm: 'argon2id', parameters: object) => Promise<Buffer>

/** RFC 9106's memory-constrained advice, halved in memory: some 30 ms and 32 MiB a password. */
const cost = { memory: 32_768, passes: 3, parallelism: 1 }

const tagBytes = 32

/** Hashes at one time; more would take the memory and the processor of everything else. */
const concurrencyMax = 2

/** Those that may wait for their turn: some ten seconds' worth. */
const waitingMax = 500

let running = 0
const waiting: (() => void)[] = []

/**
 * Returns the argon2id hash of a password, with its salt and cost, as a PHC string. Throws
 * LOGINS_TOO_MANY.
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  return format(salt, await inTurn(() => compute(password, salt, cost)))
}

/** The hash of no password at all, for whoever logs in by an email that nobody has. */
export const decoyHash: string = format(randomBytes(16), randomBytes(tagBytes))

function format(salt: Buffer, tag: Buffer): string {
  const { memory, passes, parallelism } = cost
  const parts = `m=${memory},t=${passes},p=${parallelism}`
  return `$argon2id$v=19$${parts}$${bare(salt)}$${bare(tag)}`
}

/**
 * Tells whether `password` is what `hash` was made of. As slow for a wrong one as for the right one.
 * Throws LOGINS_TOO_MANY.
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const match =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(hash)
  if (!match) throw new TypeError('the stored hash of a password is none of ours')
  const [, memory, passes, parallelism, salt = '', wanted = ''] = match
  const parameters = {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  }
  const tag = await inTurn(() => compute(password, Buffer.from(salt, 'base64'), parameters))
  return timingSafeEqual(tag, Buffer.from(wanted, 'base64'))
}

function compute(password: string, nonce: Buffer, parameters: typeof cost): Promise<Buffer> {
  const message = Buffer.from(password.normalize('NFKC'))
  return derive('argon2id', { message, nonce, tagLength: tagBytes, ...parameters })
}

async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (waiting.length >= waitingMax)
    throw fault('LOGINS_TOO_MANY', `${waiting.length} passwords are looked at before this one`)
  if (running >= concurrencyMax) await new Promise<void>((resolve) => waiting.push(resolve))
  else running++
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

function bare(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
