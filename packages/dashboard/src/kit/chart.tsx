import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { useStore } from '../live/store.ts'
import { isDark } from '../shell/theme.ts'
import { resolveColor } from './resolve-color.ts'

/** One line of a chart. */
interface Line {
  readonly label: string
  readonly values: readonly (number | undefined)[]
  /** Name of a colour of the style sheet: `--line-1`. */
  readonly color: string
  readonly isFilled?: boolean
}

interface ChartProps {
  readonly title: string
  /** Wall times in ms. */
  readonly timesMs: readonly number[]
  readonly lines: readonly Line[]
  readonly format: (value: number | undefined) => string
}

const chartHeight = 132

/** Lines over the last minutes, with the newest values in words above them. */
export function Chart({ title, timesMs, lines, format }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const dark = useStore(isDark)
  const shape = JSON.stringify([dark, lines.map(({ label, color }) => [label, color])])
  const latest = useRef({ lines, format })
  latest.current = { lines, format }

  useEffect(() => {
    const place = frame.current
    if (!place) return
    const made = new uPlot(optionsOf(place, latest.current), undefined, place)
    plot.current = made
    const observer = new ResizeObserver(() =>
      made.setSize({ width: place.clientWidth, height: chartHeight }),
    )
    observer.observe(place)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [shape])

  useEffect(() => {
    const values = lines.map((line) => line.values.map((value) => value ?? null))
    plot.current?.setData([timesMs.map((atMs) => atMs / 1_000), ...values] as uPlot.AlignedData)
  })

  const told = lines.map(({ label, values }) => `${label} ${format(values.at(-1))}`)
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        {lines.slice(0, 8).map(({ label, color, values }) => (
          <span key={label} class="legend">
            <span class="swatch" style={{ background: `var(${color})` }} aria-hidden="true" />
            {label} <b>{format(values.at(-1))}</b>
          </span>
        ))}
      </figcaption>
      {timesMs.length < 2 && <p class="no-reading">Reading …</p>}
      <div ref={frame} class="plot" role="img" aria-label={`${title}, now: ${told.join(', ')}`} />
    </figure>
  )
}

function optionsOf(
  place: HTMLElement,
  { lines, format }: Pick<ChartProps, 'lines' | 'format'>,
): uPlot.Options {
  const colorOf = (name: string) => resolveColor(place, name)
  const axis = {
    stroke: colorOf('--muted'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colorOf('--grid'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: Math.max(120, place.clientWidth),
    height: chartHeight,
    legend: { show: false },
    cursor: { points: { size: 5 }, drag: { x: false, y: false } },
    padding: [8, 6, 0, 0],
    scales: {
      // One reading alone would have no width.
      x: { range: (_, least, most) => (least === most ? [least - 60, most] : [least, most]) },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    axes: [
      { ...axis, size: 22, space: 70, values: '{HH}:{mm}:{ss}' },
      { ...axis, size: 50, space: 28, values: (_, splits) => splits.map((one) => format(one)) },
    ],
    series: [
      {},
      ...lines.map(({ label, color, isFilled }) => ({
        label,
        stroke: colorOf(color),
        width: 1.5,
        points: { show: false },
        ...(isFilled ? { fill: resolveColor(place, `${color}-soft`) } : {}),
      })),
    ],
  }
}
