import { createStore } from '../live/store.ts'
import { tab } from './storage.ts'

const key = 'drover.token'

/** The admin API's token as it was typed here; undefined while nobody asked for one. */
export const token = createStore<string | undefined>(tab.get(key))

/** Holds while the instance asks for a token that the page does not have. */
export const isLockedOut = createStore(false)

/** Remembers the token until the tab is closed. */
export function logIn(text: string): void {
  tab.set(key, text)
  token.set(text)
  isLockedOut.set(false)
}

/** Forgets the token. */
export function logOut(): void {
  tab.set(key, undefined)
  token.set(undefined)
  isLockedOut.set(true)
}
