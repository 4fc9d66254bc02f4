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

interface NumberFieldProps extends Omit<FieldProps, 'children'> {
  /** Under which a form knows it. */
  readonly name?: string
  readonly least: number
  readonly most: number
  /** What its value is a multiple of; 1 if absent. */
  readonly step?: number | 'any'
  /** What stands there first. */
  readonly initial: number | string
  /** Told what was typed; 0 where that is no number. */
  readonly onNumber?: (value: number) => void
}

/** A field for a number, which must be there. */
export function NumberField(props: NumberFieldProps) {
  const { name, least, most, step = 1, initial, onNumber, ...field } = props
  return (
    <Field {...field}>
      {(control) => (
        <input
          {...control}
          name={name}
          type="number"
          min={least}
          max={most}
          step={step}
          required
          defaultValue={String(initial)}
          onInput={(event) => onNumber?.(event.currentTarget.valueAsNumber || 0)}
        />
      )}
    </Field>
  )
}
