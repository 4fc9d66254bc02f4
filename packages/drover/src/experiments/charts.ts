import { escapeHtml } from './html-text.ts'

/** A chart of a report, drawn as SVG. */
export type Chart = BarChart | LineChart

/** One horizontal bar for each row. */
interface BarChart {
  readonly kind: 'bars'
  readonly title: string
  readonly unit: string
  readonly rows: readonly {
    readonly label: string
    readonly value: number
    /** A mark on the bar's scale: what was expected. */
    readonly expected?: number
  }[]
}

/** One line for each series over the same points. */
interface LineChart {
  readonly kind: 'lines'
  readonly title: string
  readonly unit: string
  /** What the points are, as `N = 2`. */
  readonly points: readonly string[]
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[]
}

const width = 720
const colours = 6

/** Returns the chart as an SVG element. */
export function drawChart(chart: Chart): string {
  return chart.kind === 'bars' ? drawBars(chart) : drawLines(chart)
}

function drawBars({ title, unit, rows }: BarChart): string {
  const left = 200
  const rowHeight = 30
  const most = niceCeiling(
    Math.max(...rows.flatMap(({ value, expected = 0 }) => [value, expected])),
  )
  const scale = (value: number) => (value / most) * (width - left - 90)
  const bars = rows.map(({ label, value, expected }, index) => {
    const y = 34 + index * rowHeight
    const mark =
      expected === undefined
        ? ''
        : `<line x1="${left + scale(expected)}" x2="${left + scale(expected)}" y1="${y - 3}" y2="${y + 21}" stroke="currentColor" stroke-width="2"/>`
    return `<text x="${left - 10}" y="${y + 14}" text-anchor="end">${escapeHtml(label)}</text>
<rect x="${left}" y="${y}" width="${scale(value).toFixed(1)}" height="18" rx="2" fill="var(--c0)"/>${mark}
<text x="${left + Math.max(scale(value), scale(expected ?? 0)) + 8}" y="${y + 14}" class="faint">${shown(value)}</text>`
  })
  const marked = rows.some(({ expected }) => expected !== undefined)
  const height = 44 + rows.length * rowHeight + (marked ? 18 : 0)
  const legend = marked
    ? `<text x="${left}" y="${height - 8}" class="faint">The upright mark is what was expected.</text>`
    : ''
  return frame(height, `${title} (${unit})`, `${bars.join('\n')}\n${legend}`)
}

function drawLines({ title, unit, points, series }: LineChart): string {
  const [left, top, bottom] = [70, 44, 260]
  const legendRows = Math.ceil(series.length / 2)
  const most = niceCeiling(Math.max(...series.flatMap(({ values }) => values)))
  const x = (index: number) => left + (index / Math.max(1, points.length - 1)) * (width - left - 40)
  const y = (value: number) => bottom - (value / most) * (bottom - top)
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * most)
    return `<line class="grid" x1="${left}" x2="${width - 40}" y1="${at}" y2="${at}"/>
<text x="${left - 8}" y="${at + 4}" text-anchor="end" class="faint">${shown(part * most)}</text>`
  })
  const labels = points.map(
    (point, index) =>
      `<text x="${x(index)}" y="${bottom + 20}" text-anchor="middle" class="faint">${escapeHtml(point)}</text>`,
  )
  const lines = series.map(({ name, values }, index) => {
    const colour = `var(--c${index % colours})`
    const path = values.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
    const dots = values
      .map(
        (value, at) =>
          `<circle cx="${x(at).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3.5" fill="${colour}"><title>${escapeHtml(`${name}, ${points[at]}: ${shown(value)}`)}</title></circle>`,
      )
      .join('')
    const [legendX, legendY] = [left + (index % 2) * 320, bottom + 46 + Math.floor(index / 2) * 20]
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}
<rect x="${legendX}" y="${legendY - 9}" width="12" height="4" fill="${colour}"/><text x="${legendX + 20}" y="${legendY}" class="faint">${escapeHtml(name)}</text>`
  })
  const height = bottom + 40 + legendRows * 20
  return frame(height, `${title} (${unit})`, [...grid, ...labels, ...lines].join('\n'))
}

function frame(height: number, title: string, inner: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">
<text x="0" y="16" font-weight="600">${escapeHtml(title)}</text>
${inner}
</svg>`
}

/** The next of 1, 2, 2.5, 5, 10, ... times a power of ten, so that a scale has round numbers. */
function niceCeiling(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= value) ?? 10) * power
}

function shown(value: number): string {
  const digits =
    Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}
