import type { Part } from './admin.ts'
import { call, type Sending, send } from './call.ts'

/** Calls on the HTTP API of one part, through the admin API. All throw Problem. */
export interface PartClient {
  /** As `/parts/queue`. */
  readonly base: string
  get<Answer>(path: string, sending?: Sending): Promise<Answer>
  post<Answer>(path: string, body?: unknown, sending?: Sending): Promise<Answer>
  put<Answer>(path: string, body?: unknown): Promise<Answer>
  remove(path: string): Promise<void>
  /** The answer as text, for what is not JSON. */
  text(path: string): Promise<string>
}

/** Returns the client of a part; `headers` go with each call. */
export function createPartClient(
  { base }: Pick<Part, 'base'>,
  headers: () => Readonly<Record<string, string>> = () => ({}),
): PartClient {
  const ask = <Answer>(method: string, path: string, sending: Sending = {}) =>
    call<Answer>(method, base + path, { ...sending, headers: { ...headers(), ...sending.headers } })
  return {
    base,
    get: (path, sending) => ask('GET', path, sending),
    post: (path, body, sending) =>
      ask('POST', path, { ...sending, ...(body === undefined ? {} : { body }) }),
    put: (path, body) => ask('PUT', path, body === undefined ? {} : { body }),
    remove: (path) => ask('DELETE', path),
    text: async (path) => (await send('GET', base + path, { headers: headers() })).text(),
  }
}
