import { escapeHtml } from './html-text.ts'

/** Every chart has this width in its own units; the page scales it. */
export const width = 720

/** Returns an SVG element with its title above `inner`. */
export function frame(height: number, title: string, inner: string): string {
  const shownTitle = escapeHtml(title.charAt(0).toUpperCase() + title.slice(1))
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${shownTitle}">
<text x="0" y="16" class="title">${shownTitle}</text>
${inner}
</svg>`
}

const steps = [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10]

/** Returns the next value whose quarters are round numbers, for a scale. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return (steps.find((step) => step * power >= value) ?? 10) * power
}

/** Returns a number as a chart says it: no more digits than it needs. */
export function shown(value: number): string {
  const digits =
    Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}
