import { escapeHtml } from './html-text.ts'

/** Every chart has this width in its own units; the page scales it. */
export const width = 720

/** Returns an SVG element with its title above `inner`. */
export function frame(height: number, title: string, inner: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">
<text x="0" y="16" font-weight="600">${escapeHtml(title)}</text>
${inner}
</svg>`
}

/** Returns the next of 1, 2, 2.5, 5, 10, … times a power of ten, so that a scale has round numbers. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= value) ?? 10) * power
}

/** Returns a number as a chart says it: no more digits than it needs. */
export function shown(value: number): string {
  const digits =
    Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}
