import { browser } from '../client/storage.ts'
import { createStore } from '../live/store.ts'

/** `system` follows the reader's machine. */
export type Theme = 'system' | 'light' | 'dark'

const key = 'drover.theme'
const systemDark = matchMedia('(prefers-color-scheme: dark)')

export const theme = createStore<Theme>(stored())
/** Holds while the page is dark, whoever chose it. */
export const isDark = createStore(false)

/** Takes the chosen theme up, and follows the machine where nothing was chosen. */
export function startTheme(): void {
  apply()
  systemDark.addEventListener('change', apply)
}

/** Chooses a theme, for this browser. */
export function chooseTheme(chosen: Theme): void {
  browser.set(key, chosen)
  theme.set(chosen)
  apply()
}

function apply(): void {
  const chosen = theme.value
  if (chosen === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
  isDark.set(chosen === 'system' ? systemDark.matches : chosen === 'dark')
}

function stored(): Theme {
  const text = browser.get(key)
  return text === 'light' || text === 'dark' ? text : 'system'
}
