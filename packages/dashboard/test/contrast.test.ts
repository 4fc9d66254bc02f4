import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const tokens = readFileSync(new URL('../../src/style/tokens.css', import.meta.url), 'utf8')

/** The colours of the style sheet, light and dark. */
const colors = new Map(
  [...tokens.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(
    ([, name = '', light = '', dark = '']) => [name, { light, dark }] as const,
  ),
)

/** As WCAG 2 defines it. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (high + 0.05) / (low + 0.05)
}

function tooFaint(names: readonly string[], grounds: readonly string[], least: number): string[] {
  return names.flatMap((name) =>
    grounds.flatMap((ground) =>
      (['light', 'dark'] as const).flatMap((theme) => {
        const own = colors.get(name)?.[theme] ?? ''
        const under = colors.get(ground)?.[theme] ?? ''
        const found = contrast(own, under)
        return found >= least ? [] : [`${name} on ${ground}, ${theme}: ${found.toFixed(2)}`]
      }),
    ),
  )
}

test('black on white has the contrast that it should have', () => {
  assert.equal(Math.round(contrast('#000000', '#ffffff')), 21)
})

test('every word can be read, light and dark', () => {
  const words = ['text', 'muted', 'accent', 'good', 'coming', 'warn', 'bad', 'leaving', 'idle']

  assert.deepEqual(tooFaint(words, ['bg', 'panel', 'raised'], 4.5), [])
  assert.deepEqual(tooFaint(['on-accent'], ['accent'], 4.5), [])
  assert.deepEqual(tooFaint(['text', 'accent', 'muted'], ['accent-soft', 'hover'], 4.5), [])
  assert.deepEqual(tooFaint(['bad'], ['bad-soft'], 4.5), [])
})

test('every line of a chart stands out from its ground', () => {
  const lines = [...colors.keys()].filter((name) => /^line-(\d|bad)$/.test(name))

  assert.equal(lines.length, 9)
  assert.deepEqual(tooFaint(lines, ['panel'], 3), [])
})
