import { useState } from 'preact/hooks'
import type { PartClient } from '../client/part.ts'
import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { Field, NumberField } from '../kit/field.tsx'
import { addFence } from './herd-api.ts'
import { DegreesField } from './place-dialog.tsx'
import type { Box, Degrees } from './projection.ts'

interface NewFenceProps {
  readonly herd: PartClient
  /** In the middle of what is proposed. */
  readonly center: Degrees
  readonly onClose: () => void
}

/** From the middle of a box that is proposed to its sides, in degrees. */
const halfDegrees = 5

/** Asks for a circle or a box, and makes a fence of it. */
export function NewFence({ herd, center, onClose }: NewFenceProps) {
  const [isBox, setBox] = useState(false)
  const act = async (fields: FormData) => {
    const id = String(fields.get('id'))
    const shape = isBox ? { box: readBox(fields) } : { circle: readCircle(fields) }
    await addFence(herd, { ...(id === '' ? {} : { id }), ...shape })
  }
  return (
    <Dialog title="New fence" onClose={onClose}>
      <DialogForm verb="Make" done="The fence is there" act={act} onClose={onClose}>
        <Field label="Name" hint="Without one it gets a name.">
          {(control) => <input {...control} name="id" maxLength={128} autocomplete="off" />}
        </Field>
        <Field label="Shape">
          {(control) => (
            <select {...control} onChange={(event) => setBox(event.currentTarget.value === 'box')}>
              <option value="circle">a circle</option>
              <option value="box">a box</option>
            </select>
          )}
        </Field>
        {isBox ? <BoxFields center={center} /> : <CircleFields center={center} />}
      </DialogForm>
    </Dialog>
  )
}

function CircleFields({ center }: { readonly center: Degrees }) {
  return (
    <>
      <div class="pair">
        <DegreesField label="Latitude" name="latitude" most={90} value={center.latitude} />
        <DegreesField label="Longitude" name="longitude" most={180} value={center.longitude} />
      </div>
      <NumberField
        label="Radius in km"
        name="radiusKm"
        least={0.01}
        most={20_016}
        step="any"
        initial={500}
      />
    </>
  )
}

function BoxFields({ center }: { readonly center: Degrees }) {
  const { south, north, west, east } = around(center)
  return (
    <>
      <div class="pair">
        <DegreesField label="South" name="south" most={90} value={south} />
        <DegreesField label="North" name="north" most={90} value={north} />
        <DegreesField label="West" name="west" most={180} value={west} />
        <DegreesField label="East" name="east" most={180} value={east} />
      </div>
      <p class="hint">A box whose west is above its east goes over 180°.</p>
    </>
  )
}

/** Returns a box around a place, kept on the earth. */
function around({ latitude, longitude }: Degrees): Box {
  return {
    south: Math.max(-90, latitude - halfDegrees),
    north: Math.min(90, latitude + halfDegrees),
    west: Math.max(-180, longitude - halfDegrees),
    east: Math.min(180, longitude + halfDegrees),
  }
}

function readCircle(fields: FormData) {
  return {
    latitude: Number(fields.get('latitude')),
    longitude: Number(fields.get('longitude')),
    radiusKm: Number(fields.get('radiusKm')),
  }
}

/** Throws for a box that nobody could be in. */
function readBox(fields: FormData): Box {
  const [south, north, west, east] = ['south', 'north', 'west', 'east'].map((name) =>
    Number(fields.get(name)),
  ) as [number, number, number, number]
  if (south > north) throw new Error(`South is ${south}, which is above north, ${north}.`)
  return { south, north, west, east }
}
