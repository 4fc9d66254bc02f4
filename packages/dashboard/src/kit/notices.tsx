import { describe } from '../client/problem.ts'
import { createStore, useStore } from '../live/store.ts'
import { noticeMs } from '../options.ts'
import { Icon } from './icon.tsx'

/** Something to be told once, beside what the page shows anyway. */
interface Notice {
  readonly id: number
  readonly kind: 'done' | 'failed'
  readonly text: string
}

const notices = createStore<readonly Notice[]>([])
/** More than these would cover the page; the oldest go. */
const noticesMax = 4
let lastId = 0

/** Tells that something was done; it goes by itself. */
export function tellDone(text: string): void {
  const id = add('done', text)
  setTimeout(() => close(id), noticeMs)
}

/** Tells that something failed and why; it stays until it is closed. */
export function tellFailed(what: string, problem: unknown): void {
  add('failed', `${what}: ${describe(problem)}`)
}

function add(kind: Notice['kind'], text: string): number {
  const id = ++lastId
  notices.set([...notices.value, { id, kind, text }].slice(-noticesMax))
  return id
}

function close(id: number): void {
  notices.set(notices.value.filter((notice) => notice.id !== id))
}

/** Where notices appear; screen readers are told as well. */
export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {useStore(notices).map(({ id, kind, text }) => (
        <div key={id} class={`notice ${kind}`}>
          <Icon name={kind === 'done' ? 'check' : 'alert'} />
          <span>{text}</span>
          <button type="button" class="bare" aria-label="Close" onClick={() => close(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  )
}
