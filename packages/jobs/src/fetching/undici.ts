import { createRequire } from 'node:module'

const load = createRequire(import.meta.url)

/** Returns undici, loaded when something is fetched first: an API replica never does, and starts sooner. */
export function undici(): typeof import('undici') {
  return load('undici') as typeof import('undici')
}
