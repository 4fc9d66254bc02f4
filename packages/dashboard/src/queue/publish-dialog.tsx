import type { PartClient } from '../client/part.ts'
import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { Field, NumberField } from '../kit/field.tsx'
import { publish } from './queue-api.ts'

interface PublishDialogProps {
  readonly queue: PartClient
  readonly topic: string
  readonly onClose: () => void
}

const copiesMax = 10_000

/** Asks for a message, and how often to store it. */
export function PublishDialog({ queue, topic, onClose }: PublishDialogProps) {
  const act = (fields: FormData) => {
    const key = String(fields.get('key'))
    const message = { value: String(fields.get('value')), ...(key === '' ? {} : { key }) }
    const copies = Number(fields.get('copies'))
    return publish(queue, topic, Array(copies).fill(message))
  }
  return (
    <Dialog title={`Publish to ${topic}`} onClose={onClose}>
      <DialogForm verb="Publish" done={`Stored in ${topic}`} act={act} onClose={onClose}>
        <Field label="Message">
          {(control) => <textarea {...control} name="value" required />}
        </Field>
        <Field label="Key" hint="Messages of one key go to one partition. It may be empty.">
          {(control) => <input {...control} name="key" autocomplete="off" />}
        </Field>
        <NumberField
          label="Copies"
          hint="To see work being shared out."
          name="copies"
          least={1}
          most={copiesMax}
          initial={1}
        />
      </DialogForm>
    </Dialog>
  )
}
