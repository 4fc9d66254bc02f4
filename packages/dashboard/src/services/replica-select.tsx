import type { Service } from '../client/admin.ts'

interface ReplicaSelectProps {
  readonly label: string
  readonly service: Service
  /** Empty for all. */
  readonly chosen: string
  readonly onChoose: (replica: string) => void
}

/** Chooses one replica of a service, or all. */
export function ReplicaSelect({ label, service, chosen, onChoose }: ReplicaSelectProps) {
  const names = service.replicas.map(({ name }) => name)
  // One that is gone stays chosen: its end is what one wants to read about.
  const shown = chosen === '' || names.includes(chosen) ? names : [...names, chosen]
  return (
    <select
      aria-label={label}
      value={chosen}
      onChange={(event) => onChoose(event.currentTarget.value)}
    >
      <option value="">all replicas</option>
      {shown.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  )
}
