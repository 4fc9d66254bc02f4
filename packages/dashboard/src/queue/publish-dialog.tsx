import type { PartClient } from '../client/part.ts'
import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { Field } from '../kit/field.tsx'
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
        <Field label="Copies" hint="To see work being shared out.">
          {(control) => (
            <input
              {...control}
              name="copies"
              type="number"
              min="1"
              max={copiesMax}
              required
              defaultValue="1"
            />
          )}
        </Field>
      </DialogForm>
    </Dialog>
  )
}
