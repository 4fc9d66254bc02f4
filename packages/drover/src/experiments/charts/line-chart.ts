import { escapeHtml } from './html-text.ts'
import { frame, niceCeiling, shown, width } from './svg.ts'

/** One line for each series over the same points. */
export interface LineChart {
  readonly kind: 'lines'
  readonly title: string
  readonly unit: string
  /** What the points are, as `N = 2`. */
  readonly points: readonly string[]
  /** What the points count, with its unit, if they do not say so themselves. */
  readonly axis?: string
  readonly series: readonly Series[]
  /** Stretches from one point to another in which something was different. */
  readonly bands?: readonly Band[]
}

interface Series {
  readonly name: string
  readonly values: readonly number[]
}

interface Band {
  readonly from: number
  readonly to: number
  readonly label: string
}

const colours = 6
const [left, right, top, bottom] = [70, width - 40, 44, 260]
/** More points than this have no dot each, and not each a label. */
const pointsMax = 12

/** Returns the chart as an SVG element. */
export function drawLines(chart: LineChart): string {
  const { title, unit, points, axis, series, bands = [] } = chart
  const most = niceCeiling(Math.max(...series.flatMap(({ values }) => values)))
  const x = (index: number) => left + (index / Math.max(1, points.length - 1)) * (right - left)
  const y = (value: number) => bottom - (value / most) * (bottom - top)
  const legendTop = bottom + (axis === undefined ? 46 : 66)
  const parts = [
    ...bands.map((band) => drawBand(band, x)),
    ...drawGrid(most, y),
    ...drawPoints(points, x),
    axis === undefined
      ? ''
      : `<text x="${(left + right) / 2}" y="${bottom + 40}" text-anchor="middle" class="faint">${escapeHtml(axis)}</text>`,
    ...series.map((one, index) => drawSeries(one, index, { points, x, y, legendTop })),
  ]
  const height = legendTop + Math.ceil(series.length / 2) * 20 - 6
  return frame(height, `${title} (${unit})`, parts.join('\n'))
}

function drawBand({ from, to, label }: Band, x: (index: number) => number): string {
  const [start, end] = [x(from), x(to)]
  return `<rect class="band" x="${start.toFixed(1)}" y="${top}" width="${(end - start).toFixed(1)}" height="${bottom - top}"/>
<text x="${((start + end) / 2).toFixed(1)}" y="${top - 6}" text-anchor="middle" class="faint">${escapeHtml(label)}</text>`
}

function drawGrid(most: number, y: (value: number) => number): string[] {
  return [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * most)
    return `<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/>
<text x="${left - 8}" y="${at + 4}" text-anchor="end" class="faint">${shown(part * most)}</text>`
  })
}

/** A label at every second, fourth, … point; quarters of a second give whole seconds. */
const strides = [1, 2, 4, 8, 20, 40, 80, 200]

function drawPoints(points: readonly string[], x: (index: number) => number): string[] {
  const every = strides.find((stride) => points.length / stride <= pointsMax) ?? points.length
  return points.flatMap((point, index) =>
    index % every === 0
      ? [
          `<text x="${x(index).toFixed(1)}" y="${bottom + 20}" text-anchor="middle" class="faint">${escapeHtml(point)}</text>`,
        ]
      : [],
  )
}

interface Place {
  readonly points: readonly string[]
  readonly x: (index: number) => number
  readonly y: (value: number) => number
  readonly legendTop: number
}

function drawSeries({ name, values }: Series, index: number, place: Place): string {
  const { points, x, y, legendTop } = place
  const colour = `var(--c${index % colours})`
  const path = values.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  const dots = values.map(
    (value, at) =>
      `<circle cx="${x(at).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3.5" fill="${colour}"><title>${escapeHtml(`${name}, ${points[at]}: ${shown(value)}`)}</title></circle>`,
  )
  const [legendX, legendY] = [left + (index % 2) * 320, legendTop + Math.floor(index / 2) * 20]
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${points.length > pointsMax ? '' : dots.join('')}
<rect x="${legendX}" y="${legendY - 9}" width="12" height="4" fill="${colour}"/><text x="${legendX + 20}" y="${legendY}" class="faint">${escapeHtml(name)}</text>`
}
