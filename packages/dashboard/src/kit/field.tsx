import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface FieldProps {
  readonly label: string
  /** A line below that says what is expected. */
  readonly hint?: string
  /** Draws the control; it must carry the id, so that the label belongs to it. */
  readonly children: (control: {
    readonly id: string
    readonly 'aria-describedby'?: string
  }) => ComponentChildren
}

/** A control with its label above and a hint below. */
export function Field({ label, hint, children }: FieldProps) {
  const id = useId()
  const hintId = `${id}-hint`
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(hint === undefined ? { id } : { id, 'aria-describedby': hintId })}
      {hint !== undefined && (
        <p id={hintId} class="hint">
          {hint}
        </p>
      )}
    </div>
  )
}
