import type { Part } from '../client/admin.ts'
import { createPartClient } from '../client/part.ts'
import { now } from '../clock.ts'
import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { Field, NumberField } from '../kit/field.tsx'
import { sayPlace } from './herd-api.ts'
import type { Degrees } from './projection.ts'

interface PlaceDialogProps {
  readonly parts: readonly Part[]
  readonly place: Degrees
  readonly onClose: () => void
}

/** Asks which client is at a place, and tells it to one of the servers. */
export function PlaceDialog({ parts, place, onClose }: PlaceDialogProps) {
  const act = (fields: FormData) => {
    const part = parts.find(({ service }) => service === fields.get('service'))
    if (!part) throw new Error('there is no such server')
    const at = {
      latitude: Number(fields.get('latitude')),
      longitude: Number(fields.get('longitude')),
    }
    return sayPlace(createPartClient(part), String(fields.get('client')), at, now())
  }
  return (
    <Dialog title="Where a client is" onClose={onClose}>
      <DialogForm verb="Say IAMAT" done="The server has heard it" act={act} onClose={onClose}>
        <Field label="Client" hint="Any word without spaces.">
          {(control) => (
            <input
              {...control}
              name="client"
              required
              pattern="[!-~]+"
              maxLength={200}
              autocomplete="off"
              defaultValue="kiwi"
            />
          )}
        </Field>
        <div class="pair">
          <DegreesField label="Latitude" name="latitude" most={90} value={place.latitude} />
          <DegreesField label="Longitude" name="longitude" most={180} value={place.longitude} />
        </div>
        <Field label="To" hint="The others hear of it from this one.">
          {(control) => (
            <select {...control} name="service">
              {parts.map(({ service }) => (
                <option key={service}>{service}</option>
              ))}
            </select>
          )}
        </Field>
      </DialogForm>
    </Dialog>
  )
}

interface DegreesFieldProps {
  readonly label: string
  readonly name: string
  readonly most: number
  readonly value: number
}

/** A latitude or a longitude. */
export function DegreesField({ label, name, most, value }: DegreesFieldProps) {
  return (
    <NumberField
      label={label}
      name={name}
      least={-most}
      most={most}
      step="any"
      initial={value.toFixed(4)}
    />
  )
}
