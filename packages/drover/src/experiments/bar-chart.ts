import { escapeHtml } from './html-text.ts'
import { frame, niceCeiling, shown, width } from './svg.ts'

/** One horizontal bar for each row. */
export interface BarChart {
  readonly kind: 'bars'
  readonly title: string
  readonly unit: string
  readonly rows: readonly Row[]
}

interface Row {
  readonly label: string
  readonly value: number
  /** A mark on the bar's scale: what was expected. */
  readonly expected?: number
}

const left = 200
const top = 34
const rowHeight = 30

/** Returns the chart as an SVG element. */
export function drawBars({ title, unit, rows }: BarChart): string {
  const most = niceCeiling(
    Math.max(...rows.flatMap(({ value, expected = 0 }) => [value, expected])),
  )
  const scale = (value: number) => (value / most) * (width - left - 90)
  const bars = rows.map((row, index) => drawRow(row, top + index * rowHeight, scale))
  const marked = rows.some(({ expected }) => expected !== undefined)
  const height = top + 10 + rows.length * rowHeight + (marked ? 18 : 0)
  const legend = marked
    ? `<text x="${left}" y="${height - 8}" class="faint">The upright mark is what was expected.</text>`
    : ''
  return frame(height, `${title} (${unit})`, `${bars.join('\n')}\n${legend}`)
}

function drawRow(
  { label, value, expected }: Row,
  y: number,
  scale: (value: number) => number,
): string {
  const end = scale(value)
  const at = expected === undefined ? undefined : left + scale(expected)
  const mark =
    at === undefined
      ? ''
      : `<line class="mark" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${y - 3}" y2="${y + 21}"/>`
  const beside = Math.max(left + end, at ?? 0) + 8
  return `<text x="${left - 10}" y="${y + 14}" text-anchor="end">${escapeHtml(label)}</text>
<rect x="${left}" y="${y}" width="${end.toFixed(1)}" height="18" rx="2" fill="var(--c0)"/>${mark}
<text x="${beside.toFixed(1)}" y="${y + 14}" class="faint">${shown(value)}</text>`
}
