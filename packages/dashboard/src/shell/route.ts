import { createStore } from '../live/store.ts'

/** Where one is on the page: `#/services/web` is the section `services` and `web` in it. */
export interface Route {
  readonly section: string
  readonly rest: readonly string[]
}

/** Reads what stands behind the `#` of an address. */
export function parseRoute(hash: string): Route {
  const [section = '', ...rest] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .filter((word) => word !== '')
    .map(decoded)
  return { section: section === '' ? 'services' : section, rest }
}

/** Returns the address of a place on the page, to link to. */
export function linkTo(...words: readonly string[]): string {
  return `#/${words.map(encodeURIComponent).join('/')}`
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word)
  } catch {
    // A stray % in an address that somebody typed.
    return word
  }
}

export const route = createStore<Route>({ section: 'services', rest: [] })

/** Keeps `route` in step with the address. */
export function startRouting(): void {
  const read = () => route.set(parseRoute(location.hash))
  read()
  addEventListener('hashchange', read)
}
