import { formatCount, formatShare } from '../kit/format.ts'
import { colorOf } from './colors.ts'
import type { Ring } from './ring-panel.tsx'

type Replica = Ring['replicas'][number]

interface ShareTableProps {
  readonly replicas: readonly Replica[]
  /** Who is thought away. */
  readonly leaver: Replica | undefined
  readonly onLeave: (name: string | undefined) => void
}

/** Each replica's share as a bar, and what the others would get if one left. */
export function ShareTable({ replicas, leaver, onLeave }: ShareTableProps) {
  const most = Math.max(...replicas.map((one) => shareAfter(one, leaver)), 0.01)
  return (
    <div class="shares">
      <ul>
        {replicas.map((replica, index) => (
          <li key={replica.name} class={replica === leaver ? 'leaver' : ''}>
            <span class="share-name">
              <span class="swatch" style={{ background: `var(${colorOf(index)})` }} />
              {replica.name}
              {replica.weight !== 1 && (
                <span class="muted"> weight {formatCount(replica.weight)}</span>
              )}
            </span>
            <Bar replica={replica} index={index} leaver={leaver} most={most} />
            <span class="share-text">{shareText(replica, leaver)}</span>
            <button
              type="button"
              class="button bare"
              aria-pressed={replica === leaver}
              onClick={() => onLeave(replica === leaver ? undefined : replica.name)}
            >
              If it left
            </button>
          </li>
        ))}
      </ul>
      <p class="hint" role="status">
        {leaver ? sentence(leaver) : 'What moves when one leaves? “If it left” shows it.'}
      </p>
    </div>
  )
}

interface BarProps {
  readonly replica: Replica
  readonly index: number
  readonly leaver: Replica | undefined
  readonly most: number
}

function Bar({ replica, index, leaver, most }: BarProps) {
  const width = (share: number) => `${(share / most) * 100}%`
  const kept = replica === leaver ? 0 : replica.share
  return (
    <span class="bar" aria-hidden="true">
      <span style={{ width: width(kept), background: `var(${colorOf(index)})` }} />
      <span
        class="gained"
        style={{ width: width(gained(replica, leaver)), color: `var(${colorOf(index)})` }}
      />
    </span>
  )
}

function shareText(replica: Replica, leaver: Replica | undefined): string {
  if (replica === leaver) return `${formatShare(replica.share)} → 0 %`
  const more = gained(replica, leaver)
  return more > 0
    ? `${formatShare(replica.share)} + ${formatShare(more)}`
    : formatShare(replica.share)
}

function shareAfter(replica: Replica, leaver: Replica | undefined): number {
  return replica === leaver ? 0 : replica.share + gained(replica, leaver)
}

function gained({ name }: Replica, leaver: Replica | undefined): number {
  return leaver?.heirs.find((heir) => heir.name === name)?.share ?? 0
}

function sentence({ name, share, heirs, unsettled }: Replica): string {
  const others =
    unsettled > 0
      ? `and ${formatShare(unsettled)} move between the others`
      : 'and nobody else’s keys move'
  if (heirs.length === 0) return `If ${name} left, nobody would have its ${formatShare(share)}.`
  return `If ${name} left, its ${formatShare(share)} of the keys would go to ${heirs.length === 1 ? 'one other' : `${heirs.length} others`}, ${others}.`
}
