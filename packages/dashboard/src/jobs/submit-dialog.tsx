import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { Field, NumberField } from '../kit/field.tsx'
import { type NewJob, submit } from './jobs-api.ts'
import type { JobsSession } from './jobs-session.ts'
import { PageFields } from './page-fields.tsx'

interface SubmitDialogProps {
  readonly session: JobsSession
  readonly onClose: () => void
}

/** Asks for a page and what is to be made of it. */
export function SubmitDialog({ session, onClose }: SubmitDialogProps) {
  return (
    <Dialog title="Submit a job" onClose={onClose}>
      <DialogForm
        verb="Submit"
        done="The job is on disk; it will be done"
        act={(fields) => submit(session.client, readJob(fields))}
        onClose={onClose}
      >
        <PageFields hint="What is not public is refused, unless the workers allow it." />
        <Field label="Call back" hint="Told there when it has ended. It may be empty.">
          {(control) => <input {...control} name="callbackUrl" type="url" />}
        </Field>
        <div class="pair">
          <NumberField
            label="Priority"
            hint="0 to 9; higher goes first."
            name="priority"
            least={0}
            most={9}
            initial={0}
          />
          <NumberField label="Not before, in s" name="delay" least={0} most={86_400} initial={0} />
        </div>
      </DialogForm>
    </Dialog>
  )
}

function readJob(fields: FormData): NewJob {
  const callbackUrl = String(fields.get('callbackUrl'))
  return {
    url: String(fields.get('url')),
    type: Number(fields.get('type')) as NewJob['type'],
    priority: Number(fields.get('priority')),
    delayMs: Number(fields.get('delay')) * 1_000,
    ...(callbackUrl === '' ? {} : { callbackUrl }),
  }
}
