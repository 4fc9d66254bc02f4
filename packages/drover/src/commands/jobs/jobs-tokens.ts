import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { LoginView } from '@drover/jobs'
import { systemClock } from '@drover/kernel'
import { fault } from '../../errors.ts'

/** Who is logged in at which jobs API. */
type Logins = Record<string, LoginView>

/** Where the tokens of `drover jobs login` are kept: `jobs.json` in the user's configuration. */
export function tokenFile(env: NodeJS.ProcessEnv = process.env): string {
  const folder = env.XDG_CONFIG_HOME || join(homedir(), '.config')
  return join(folder, 'drover', 'jobs.json')
}

/** Returns the tokens for the API at `url`; undefined when nobody has logged in there. */
export function readTokens(file: string, url: string): LoginView | undefined {
  return readLogins(file)[originOf(url)]
}

/** Keeps the tokens for the API at `url` where their owner alone may read them; undefined removes them. */
export function keepTokens(file: string, url: string, tokens: LoginView | undefined): void {
  const { [originOf(url)]: _before, ...others } = readLogins(file)
  const logins: Logins = tokens === undefined ? others : { ...others, [originOf(url)]: tokens }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  if (Object.keys(logins).length === 0) {
    rmSync(file, { force: true })
    return
  }
  // A file of its own first: a reader never finds half of it, and never one that others may read.
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, `${JSON.stringify(logins, undefined, 2)}\n`, { mode: 0o600 })
  chmodSync(fresh, 0o600)
  renameSync(fresh, file)
}

/** How long another command may take to renew the tokens, and how often to look, in ms. */
const renewal = { mostMs: 40_000, everyMs: 50 }

/**
 * Changes the refresh token `before` for new tokens and keeps them. Of several commands that find it
 * over at one moment one does so, and the others take what it got: a token used twice ends the login.
 */
export async function renewTokens(
  file: string,
  url: string,
  before: string,
  refresh: (before: string) => Promise<LoginView>,
): Promise<LoginView> {
  const lock = `${file}.lock`
  for (const endMs = systemClock.now() + renewal.mostMs; !take(lock); ) {
    // Whoever held it so long has died over it.
    if (systemClock.now() > endMs) rmSync(lock, { force: true })
    await systemClock.sleep(renewal.everyMs)
  }
  try {
    const kept = readTokens(file, url)
    if (kept !== undefined && kept.refreshToken !== before) return kept
    const fresh = await refresh(before)
    keepTokens(file, url, fresh)
    return fresh
  } finally {
    rmSync(lock, { force: true })
  }
}

/** Tells whether the lock was free and is ours now. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, `${process.pid}\n`, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw fault('USAGE', `${lock} cannot be written`, { cause: error })
  }
}

function readLogins(file: string): Logins {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Logins
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw fault('USAGE', `${file} cannot be read; remove it and log in again`, { cause: error })
  }
}

function originOf(url: string): string {
  const { protocol, origin } = URL.parse(url) ?? {}
  if (origin === undefined || (protocol !== 'http:' && protocol !== 'https:'))
    throw fault('USAGE', `--url: expected an address such as http://127.0.0.1:8000, not "${url}"`)
  return origin
}
