/** What the browser keeps for the page: until the tab is closed, or for good. */
export interface Keeper {
  get(key: string): string | undefined
  set(key: string, text: string | undefined): void
}

/** Kept until the tab is closed. */
export const tab = createKeeper(() => sessionStorage)
/** Kept for good. */
export const browser = createKeeper(() => localStorage)

/** A browser that keeps nothing throws when it is asked to; the page then remembers by itself. */
function createKeeper(open: () => Storage): Keeper {
  const own = new Map<string, string>()
  return {
    get(key) {
      try {
        return open().getItem(key) ?? undefined
      } catch {
        return own.get(key)
      }
    },
    set(key, text) {
      try {
        if (text === undefined) open().removeItem(key)
        else open().setItem(key, text)
      } catch {
        if (text === undefined) own.delete(key)
        else own.set(key, text)
      }
    },
  }
}
