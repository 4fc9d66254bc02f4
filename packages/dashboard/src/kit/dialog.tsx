import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { describe } from '../client/problem.ts'
import { FormProblem } from './form-problem.tsx'
import { Icon } from './icon.tsx'
import { tellDone } from './notices.tsx'

interface DialogProps {
  readonly title: string
  readonly children: ComponentChildren
  readonly onClose: () => void
}

/**
 * A window over the page. The browser's own modal dialog keeps the focus inside, closes on Escape and gives
 * the focus back.
 */
export function Dialog({ title, children, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  const isOver = useRef(false)
  // The browser tells of the closing a moment later, when the next dialog may be open already.
  const close = () => {
    if (!isOver.current) onClose()
  }
  // Open as soon as it is there: a key that comes at once is the dialog's.
  useLayoutEffect(() => {
    const own = dialog.current
    const opener = document.activeElement
    own?.showModal()
    own?.querySelector<HTMLElement>('input, select, textarea')?.focus()
    return () => {
      isOver.current = true
      own?.close()
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
    }
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={close} onCancel={close}>
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" class="button bare only-icon" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  )
}

interface FormProps {
  readonly children: ComponentChildren
  /** The words of the button that does it. */
  readonly verb: string
  readonly isDangerous?: boolean
  /** Does it with what was typed; the dialog closes when it has worked. */
  readonly act: (fields: FormData) => Promise<unknown>
  readonly done: string
  readonly onClose: () => void
}

/** The body of a dialog that asks for something and then does it; a failure is told inside. */
export function DialogForm(props: FormProps) {
  const { children, verb, isDangerous = false, act, done, onClose } = props
  const [problem, setProblem] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      await act(new FormData(event.currentTarget as HTMLFormElement))
      tellDone(done)
      onClose()
    } catch (thrown) {
      setProblem(describe(thrown))
      setBusy(false)
    }
  }
  return (
    <form onSubmit={submit}>
      <div class="dialog-body">{children}</div>
      <FormProblem text={problem} />
      <footer>
        <button type="button" class="button plain" onClick={onClose}>
          Not now
        </button>
        <button type="submit" class={`button ${isDangerous ? 'danger' : 'main'}`} disabled={isBusy}>
          {verb}
        </button>
      </footer>
    </form>
  )
}
