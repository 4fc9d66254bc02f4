import type { Part } from '../client/admin.ts'
import { createPartClient, type PartClient } from '../client/part.ts'
import { Problem } from '../client/problem.ts'
import { tab } from '../client/storage.ts'
import { createStore, type Store } from '../live/store.ts'
import type { JobsApi } from './jobs-openapi.ts'

/** What a login gives. */
type Tokens = JobsApi['POST /v1/tokens']['answer']

/** Who is logged in at a jobs API; jobs have accounts of their own. */
export interface JobsSession {
  readonly isIn: Store<boolean>
  /** Calls with the access token, which is refreshed when it has run out. */
  readonly client: PartClient
  /** For streams, which are opened by themselves. */
  headers(): Readonly<Record<string, string>>
  /** Throws Problem: LOGIN_FAILED, LOGIN_THROTTLED. */
  logIn(email: string, password: string): Promise<void>
  logOut(): Promise<void>
  /** Takes new tokens; false when one has to log in again. */
  refresh(): Promise<boolean>
}

const sessions = new Map<string, JobsSession>()

/** Returns the session of a jobs part; it lasts as long as the tab. */
export function jobsSession(part: Part): JobsSession {
  const known = sessions.get(part.base)
  if (known) return known
  const made = createSession(part)
  sessions.set(part.base, made)
  return made
}

function createSession(part: Part): JobsSession {
  const key = `drover.jobs ${part.base}`
  const bare = createPartClient(part)
  let tokens = readTokens(key)
  const isIn = createStore(tokens !== undefined)
  let refreshing: Promise<boolean> | undefined
  const keep = (next: Tokens | undefined) => {
    tokens = next
    tab.set(key, next && JSON.stringify(next))
    isIn.set(next !== undefined)
  }
  const headers = () =>
    tokens
      ? { 'x-part-authorization': `Bearer ${tokens.accessToken}` }
      : ({} as Record<string, string>)
  const takeNew = async (): Promise<boolean> => {
    try {
      if (!tokens) return false
      keep(await bare.post<Tokens>('/v1/tokens/refresh', { refreshToken: tokens.refreshToken }))
      return true
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 401) keep(undefined)
      return false
    }
  }
  const session: JobsSession = {
    isIn,
    headers,
    client: refreshed(createPartClient(part, headers), () => session.refresh()),
    async logIn(email, password) {
      keep(await bare.post<Tokens>('/v1/tokens', { email, password }))
    },
    async logOut() {
      // The whole login ends, not only what this tab has of it.
      const login = tokens && { refreshToken: tokens.refreshToken }
      await session.client.post('/v1/tokens/revoke', login).catch(() => {
        // It runs out by itself; here it is forgotten in any case.
      })
      keep(undefined)
    },
    refresh() {
      // A refresh token is good once: all who wait share one call.
      refreshing ??= takeNew().finally(() => {
        refreshing = undefined
      })
      return refreshing
    },
  }
  return session
}

/** Returns a client that takes new tokens and asks once more when the old ones are refused. */
function refreshed(client: PartClient, refresh: () => Promise<boolean>): PartClient {
  const again = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await ask()
    } catch (problem) {
      const isRefused = problem instanceof Problem && problem.status === 401
      if (isRefused && (await refresh())) return ask()
      throw problem
    }
  }
  return {
    base: client.base,
    get: (path, sending) => again(() => client.get(path, sending)),
    post: (path, body, sending) => again(() => client.post(path, body, sending)),
    put: (path, body) => again(() => client.put(path, body)),
    remove: (path) => again(() => client.remove(path)),
    text: (path) => again(() => client.text(path)),
  }
}

function readTokens(key: string): Tokens | undefined {
  const text = tab.get(key)
  return text === undefined ? undefined : (JSON.parse(text) as Tokens)
}
