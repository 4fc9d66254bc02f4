import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface PanelProps {
  readonly title: string
  /** Beside the title: a count, a state. */
  readonly note?: ComponentChildren
  /** Buttons at the right. */
  readonly actions?: ComponentChildren
  readonly children: ComponentChildren
}

/** One framed section of a page, found by its heading. */
export function Panel({ title, note, actions, children }: PanelProps) {
  const heading = useId()
  return (
    <section class="panel" aria-labelledby={heading}>
      <header>
        <h2 id={heading}>{title}</h2>
        {note !== undefined && <span class="note">{note}</span>}
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  )
}

/** Said in place of what is not there. */
export function Nothing({ children }: { readonly children: ComponentChildren }) {
  return <p class="nothing">{children}</p>
}
