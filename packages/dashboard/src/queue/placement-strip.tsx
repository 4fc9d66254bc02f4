import { plural } from '../kit/format.ts'
import { colorOf } from '../ring/colors.ts'

interface PlacementStripProps {
  readonly partitions: number
  /** The broker of each partition. */
  readonly owners: readonly string[]
  readonly brokers: readonly string[]
}

/** More squares than these say nothing more. */
const squaresMax = 64

/** A square for each partition in its broker's colour. */
export function PlacementStrip({ partitions, owners, brokers }: PlacementStripProps) {
  const counts = brokers
    .map((name) => [name, owners.filter((owner) => owner === name).length] as const)
    .filter(([, count]) => count > 0)
  const told = counts.map(([name, count]) => `${count} at ${name}`).join(', ')
  return (
    <span class="placement">
      <span class="squares" aria-hidden="true">
        {owners.slice(0, squaresMax).map((owner, partition) => (
          <span
            key={partition}
            title={`partition ${partition}: ${owner}`}
            style={{ background: `var(${colorOf(brokers.indexOf(owner))})` }}
          />
        ))}
      </span>
      <span class="muted">{told || plural(partitions, 'partition')}</span>
    </span>
  )
}
