/** Wall time in ms since 1970. The page has no kernel below it: this is its one clock. */
export const now = (): number => Date.now()
