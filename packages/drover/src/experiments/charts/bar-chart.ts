import { escapeHtml } from './html-text.ts'
import { frame, niceCeiling, shown, width } from './svg.ts'

/** One horizontal bar for each row. */
export interface BarChart {
  readonly kind: 'bars'
  readonly title: string
  readonly unit: string
  readonly rows: readonly Row[]
  /** What the marks are; what was expected, if absent. */
  readonly mark?: string
}

interface Row {
  readonly label: string
  readonly value: number
  /** Where the bar's mark is. */
  readonly expected?: number
}

/** Of a letter, about. */
const letterWidth = 7.4
const leftMax = 320
const top = 34
const rowHeight = 30

/** Returns the chart as an SVG element. */
export function drawBars({ title, unit, rows, mark = 'what was expected' }: BarChart): string {
  const most = niceCeiling(
    Math.max(...rows.flatMap(({ value, expected = 0 }) => [value, expected])),
  )
  const letters = Math.max(0, ...rows.map(({ label }) => label.length))
  const left = Math.min(leftMax, Math.round(letters * letterWidth) + 20)
  const scale = (value: number) => (value / most) * (width - left - 90)
  const bars = rows.map((row, index) => drawRow(row, { left, y: top + index * rowHeight, scale }))
  const marked = rows.some(({ expected }) => expected !== undefined)
  const height = top + 10 + rows.length * rowHeight + (marked ? 18 : 0)
  const legend = marked
    ? `<text x="${left}" y="${height - 8}" class="faint">The upright mark is ${escapeHtml(mark)}.</text>`
    : ''
  return frame(height, `${title} (${unit})`, `${bars.join('\n')}\n${legend}`)
}

interface Place {
  /** Where bars begin. */
  readonly left: number
  readonly y: number
  readonly scale: (value: number) => number
}

function drawRow({ label, value, expected }: Row, { left, y, scale }: Place): string {
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
