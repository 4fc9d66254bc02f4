import { Field } from '../kit/field.tsx'
import { TypeOptions } from './type-options.tsx'

/** The fields of a form that say which page is asked for, and what is to be made of it. */
export const PageFields = ({ hint }: { readonly hint?: string }) => (
  <>
    <Field label="Address" {...(hint === undefined ? {} : { hint })}>
      {(control) => <input {...control} name="url" type="url" required placeholder="https://…" />}
    </Field>
    <Field label="Makes of it">
      {(control) => (
        <select {...control} name="type">
          <TypeOptions />
        </select>
      )}
    </Field>
  </>
)
