import { type BarChart, drawBars } from './bar-chart.ts'
import { drawLines, type LineChart } from './line-chart.ts'

/** A chart of a report. */
export type Chart = BarChart | LineChart

/** Returns the chart as an SVG element. */
export function drawChart(chart: Chart): string {
  return chart.kind === 'bars' ? drawBars(chart) : drawLines(chart)
}
