import type { Edge } from './edges.ts'

interface LinkGraphProps {
  readonly names: readonly string[]
  readonly edges: readonly Edge[]
  /** Who answers. */
  readonly alive: ReadonlySet<string>
  readonly colorOf: (server: string) => string
}

const radius = 74

/** The servers in a circle, with their links. */
export function LinkGraph({ names, edges, alive, colorOf }: LinkGraphProps) {
  const places = new Map(names.map((name, index) => [name, placeOf(index, names.length)]))
  const told = edges.map(({ ends, state }) => `${ends.join(' and ')} ${state}`).join(', ')
  return (
    <svg class="graph" viewBox="-130 -104 260 208" role="img" aria-label={`Links: ${told}`}>
      {edges.map(({ ends: [one, other], state }) => {
        const from = places.get(one)
        const to = places.get(other)
        if (!from || !to) return null
        return (
          <line
            key={`${one} ${other}`}
            class={`edge ${state}`}
            {...{ x1: from.x, y1: from.y, x2: to.x, y2: to.y }}
          />
        )
      })}
      {names.map((name) => {
        const { x, y } = places.get(name) ?? { x: 0, y: 0 }
        return (
          <g key={name} class={alive.has(name) ? 'node' : 'node dead'}>
            <circle cx={x} cy={y} r="9" style={{ fill: `var(${colorOf(name)})` }} />
            <text x={x} y={y < 0 ? y - 15 : y + 24}>
              {name}
            </text>
          </g>
        )
      })}
    </svg>
  )
}

function placeOf(index: number, count: number) {
  const angle = (index / count) * 2 * Math.PI - Math.PI / 2
  return { x: Math.cos(angle) * radius * 1.15, y: Math.sin(angle) * radius }
}
