import type { PartClient } from '../client/part.ts'
import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { Field } from '../kit/field.tsx'
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
        <Field label="Partitions" hint="Messages of one key stay in order within one partition.">
          {(control) => (
            <input
              {...control}
              name="partitions"
              type="number"
              min="1"
              max="256"
              required
              defaultValue="4"
            />
          )}
        </Field>
      </DialogForm>
    </Dialog>
  )
}
