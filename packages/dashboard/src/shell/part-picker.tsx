import type { Part } from '../client/admin.ts'
import { parts } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { linkTo } from './route.ts'

interface PartPickerProps {
  readonly section: string
  readonly chosen: Part
}

/** Chooses among several parts of a kind; where there is one, there is nothing to choose. */
export function PartPicker({ section, chosen }: PartPickerProps) {
  const own = useStore(parts).filter(({ part }) => part === chosen.part)
  if (own.length < 2) return null
  return (
    <select
      aria-label={`Which ${chosen.part}`}
      value={chosen.service}
      onChange={(event) => {
        location.hash = linkTo(section, event.currentTarget.value)
      }}
    >
      {own.map(({ service }) => (
        <option key={service}>{service}</option>
      ))}
    </select>
  )
}
