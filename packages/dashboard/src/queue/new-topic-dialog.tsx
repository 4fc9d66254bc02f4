import type { PartClient } from '../client/part.ts'
import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { Field, NumberField } from '../kit/field.tsx'
import { createTopic } from './queue-api.ts'

interface NewTopicDialogProps {
  readonly queue: PartClient
  readonly onClose: () => void
}

/** Asks what a new topic is called, and how many partitions it has. */
export function NewTopicDialog({ queue, onClose }: NewTopicDialogProps) {
  return (
    <Dialog title="New topic" onClose={onClose}>
      <DialogForm
        verb="Make"
        done="The topic is there"
        act={(fields) =>
          createTopic(queue, String(fields.get('name')), Number(fields.get('partitions')))
        }
        onClose={onClose}
      >
        <Field label="Name">
          {(control) => (
            <input {...control} name="name" required maxLength={249} autocomplete="off" />
          )}
        </Field>
        <NumberField
          label="Partitions"
          hint="Messages of one key stay in order within one partition."
          name="partitions"
          least={1}
          most={256}
          initial={4}
        />
      </DialogForm>
    </Dialog>
  )
}
