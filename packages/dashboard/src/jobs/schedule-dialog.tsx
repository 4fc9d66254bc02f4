import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { Field } from '../kit/field.tsx'
import { addSchedule, type NewSchedule } from './jobs-api.ts'
import type { JobsSession } from './jobs-session.ts'
import { PageFields } from './page-fields.tsx'

interface ScheduleDialogProps {
  readonly session: JobsSession
  /** Told when there is a new one. */
  readonly onAdded: () => Promise<void>
  readonly onClose: () => void
}

/** Asks for a page, and when it is to be fetched again and again. */
export function ScheduleDialog({ session, onAdded, onClose }: ScheduleDialogProps) {
  const add = async (fields: FormData) => {
    await addSchedule(session.client, readSchedule(fields))
    await onAdded()
  }
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions()
  return (
    <Dialog title="Add a schedule" onClose={onClose}>
      <DialogForm verb="Add" done="It comes when its time does" act={add} onClose={onClose}>
        <PageFields />
        <div class="pair">
          <Field label="When" hint="Minute, hour, day, month, weekday.">
            {(control) => (
              <input
                {...control}
                name="cron"
                required
                placeholder="0 9 * * 1-5"
                spellcheck={false}
              />
            )}
          </Field>
          <Field label="Time zone" hint="What that is meant in.">
            {(control) => <input {...control} name="timeZone" required defaultValue={timeZone} />}
          </Field>
        </div>
        <Field label="Call back" hint="Told there each time that it has ended. It may be empty.">
          {(control) => <input {...control} name="callbackUrl" type="url" />}
        </Field>
      </DialogForm>
    </Dialog>
  )
}

function readSchedule(fields: FormData): NewSchedule {
  const text = (name: string) => String(fields.get(name))
  const callbackUrl = text('callbackUrl')
  return {
    ...{ cron: text('cron'), timeZone: text('timeZone') },
    job: {
      url: text('url'),
      type: Number(fields.get('type')) as NewSchedule['job']['type'],
      ...(callbackUrl === '' ? {} : { callbackUrl }),
    },
  }
}
