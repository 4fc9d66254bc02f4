import { logOut, token } from '../client/session.ts'
import { Button } from '../kit/button.tsx'
import { formatSpan } from '../kit/format.ts'
import type { IconName } from '../kit/icon.tsx'
import { clock, connection, lostBecause, status } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { chooseTheme, type Theme, theme } from './theme.ts'

/** What runs, whether the page is in step with it, and how the page looks. */
export function TopBar() {
  const known = useStore(status)
  const hasToken = useStore(token) !== undefined
  return (
    <header class="top-bar">
      <a class="brand" href="#/services">
        <img src="./drover.svg" alt="" width="24" height="24" />
        Drover
      </a>
      {known && <About file={known.file} startedAtMs={known.startedAtMs} version={known.version} />}
      <div class="actions">
        <Link />
        <ThemeButton />
        {hasToken && <Button icon="leave" label="Log out" kind="bare" onPress={logOut} />}
      </div>
    </header>
  )
}

interface AboutProps {
  readonly file: string | null
  readonly startedAtMs: number
  readonly version: string
}

function About({ file, startedAtMs, version }: AboutProps) {
  const nowMs = useStore(clock)
  const name = file?.split('/').slice(-2).join('/') ?? 'by command line'
  return (
    <span class="about" title={file ?? ''}>
      {name}{' '}
      <span class="muted">
        · {version} · up {formatSpan(nowMs - startedAtMs)}
      </span>
    </span>
  )
}

function Link() {
  const state = useStore(connection)
  const reason = useStore(lostBecause)
  const words = { connecting: 'connecting', live: 'live', lost: 'not connected' }[state]
  return (
    <span class={`link ${state}`} role="status" title={state === 'lost' ? reason : ''}>
      <span class="mark" aria-hidden="true" />
      {words}
    </span>
  )
}

const next: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const icons: Record<Theme, IconName> = { system: 'auto', light: 'sun', dark: 'moon' }

function ThemeButton() {
  const chosen = useStore(theme)
  return (
    <Button
      icon={icons[chosen]}
      label={`Colours: ${chosen}; change to ${next[chosen]}`}
      kind="bare"
      onPress={() => chooseTheme(next[chosen])}
    />
  )
}
