import { useEffect, useRef } from 'preact/hooks'
import { isLockedOut } from '../client/session.ts'
import { Notices } from '../kit/notices.tsx'
import { Nothing } from '../kit/panel.tsx'
import { connection, lostBecause, parts, status, watchInstance } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { Login } from './login.tsx'
import { Navigation } from './navigation.tsx'
import { route } from './route.ts'
import { sections } from './sections.ts'
import { TopBar } from './top-bar.tsx'

/** The whole page: the login while it is needed, else everything. */
export function App() {
  const isOut = useStore(isLockedOut)
  return (
    <>
      {isOut ? <Login /> : <Dashboard />}
      <Notices />
    </>
  )
}

function Dashboard() {
  useEffect(watchInstance, [])
  const known = useStore(status)
  const { section } = useStore(route)
  const main = useRef<HTMLElement>(null)
  useEffect(() => {
    document.title = `${sections.find(({ name }) => name === section)?.title ?? 'Drover'} · Drover`
  }, [section])
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <TopBar />
      <div class="frame">
        <Navigation />
        <main ref={main} tabIndex={-1}>
          {known ? <Page section={section} /> : <Waiting />}
        </main>
      </div>
    </>
  )
}

function Page({ section }: { readonly section: string }) {
  const running = useStore(parts)
  const found = sections.find(({ name }) => name === section)
  if (!found) return <Nothing>There is no page called “{section}”.</Nothing>
  if (found.part !== undefined && !running.some(({ part }) => part === found.part))
    return (
      <Nothing>
        No {found.part} runs here. A service of drover.yaml with <code>part: {found.part}</code> is
        shown on this page.
      </Nothing>
    )
  return <found.page />
}

function Waiting() {
  const state = useStore(connection)
  const reason = useStore(lostBecause)
  return <Nothing>{state === 'lost' ? `Nothing is known yet: ${reason}.` : 'Reading …'}</Nothing>
}
