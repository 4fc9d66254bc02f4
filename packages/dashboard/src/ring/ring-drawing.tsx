import { formatShare } from '../kit/format.ts'
import { arcPath, stretchesOf } from './arc-path.ts'
import { colorOf } from './colors.ts'
import type { Ring } from './ring-panel.tsx'

const band = { inner: 62, outer: 92 }

interface RingDrawingProps {
  readonly replicas: Ring['replicas']
  readonly leaver: string | undefined
}

/** The ring with each replica's stretches; one after the other where the policy has no ring. */
export function RingDrawing({ replicas, leaver }: RingDrawingProps) {
  const isRing = replicas.some(({ arcs }) => arcs.length > 0)
  const plain = stretchesOf(replicas.map(({ share }) => share))
  const told = replicas.map(({ name, share }) => `${name} ${formatShare(share)}`).join(', ')
  return (
    <svg class="ring-drawing" viewBox="-100 -100 200 200" role="img" aria-label={`Shares: ${told}`}>
      {replicas.map(({ name, arcs, share }, index) => {
        const own = isRing ? arcs : [plain[index] ?? { from: 0, length: share }]
        return (
          <path
            key={name}
            d={own.map((arc) => arcPath(arc, band)).join('')}
            style={{ fill: `var(${colorOf(index)})` }}
            class={leaver === name ? 'leaver' : ''}
          />
        )
      })}
      <text y="-2" class="ring-count">
        {replicas.length}
      </text>
      <text y="18" class="ring-word">
        {replicas.length === 1 ? 'replica' : 'replicas'}
      </text>
    </svg>
  )
}
