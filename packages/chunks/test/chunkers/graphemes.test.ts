import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '@drover/kernel'
import fc from 'fast-check'
import { fileStart } from '../../src/chunkers/chunker.ts'
import { parseWay } from '../../src/way/parse-way.ts'
import { createChunker, planFor } from '../../src/way/plan.ts'
import { cutInSteps, stepEnds } from '../cut.ts'

/** What readers take for one character though it is several, and what stands around it. */
const clusters = [
  ...['a', 'B', '7', ' ', '\n', '\r\n', '. ', '! ', '\n\n', '# ', '```\n', '"', "'", '\t'],
  ...['é', 'e\u0301', ' \u0301', '.\u0301 ', 'a\u0300\u0301\u0302\u0323', 'ß', 'д', 'ב', 'ş'],
  ...['👩‍👩‍👧‍👦', '🇩🇪', '🇫🇷', '👍🏽', '❤️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '☺︎', '1️⃣', '🧑🏿‍🚀'],
  ...['漢', '字', '。', '。\ufe00', 'か', 'が', 'か\u3099', '한', '\u1112\u1161\u11ab', '！'],
  ...['क्षि', 'த்', 'ก็', '\u0600ب', '\u200d', '\ufe0f', '\u00a0', '\u2028', '\ufeff'],
]

const anyText = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...clusters) },
      { weight: 2, arbitrary: fc.stringMatching(/^[a-z]{1,12}[ .,]?$/) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom(...clusters), fc.integer({ min: 2, max: 90 }))
          .map(([cluster, times]) => cluster.repeat(times)),
      },
    ),
    { minLength: 1, maxLength: 120 },
  )
  .map((parts) => parts.join(''))

/** Where text may be cut: the borders of its extended grapheme clusters, in bytes of UTF-8. */
function bordersOf(text: string): Set<number> {
  const borders = new Set([0])
  let at = 0
  for (const { segment } of new Intl.Segmenter('und').segment(text)) {
    at += Buffer.byteLength(segment)
    borders.add(at)
  }
  return borders
}

/** A cluster over this many bytes is cut: without a bound, one could be as large as the file. */
const longestCluster = (borders: ReadonlySet<number>) => {
  const sorted = [...borders]
  return Math.max(0, ...sorted.map((border, index) => border - (sorted[index - 1] ?? 0)))
}

for (const by of [
  ...['tokens 3/1', 'tokens 20', 'tokens 40/20', 'sentences 16', 'sentences 40/20'],
  ...['sentences 300/150', 'markdown 16/8', 'markdown 100/20', 'markdown 300'],
])
  test(`${by} never divides what a reader takes for one character`, async () => {
    const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })
    const property = fc.asyncProperty(anyText, shares, async (text, cuts) => {
      const borders = bordersOf(text)
      fc.pre(longestCluster(borders) <= 250)
      const file = Buffer.from(text)
      const plan = planFor(parseWay(by), file.length, file)
      const create = () => createChunker(plan, fileStart, systemClock)

      const pieces = await cutInSteps(create(), file, [file.length])

      let covered = 0
      let before = -1
      for (const [start, end] of pieces) {
        const place = `[${start}, ${end}) of ${JSON.stringify(text)}`
        assert.ok(borders.has(start) && borders.has(end), `divides: ${place}`)
        assert.ok(start > before && start <= covered && end > covered, `order: ${place}`)
        before = start
        covered = end
      }
      assert.equal(covered, file.length)
      assert.deepEqual(await cutInSteps(create(), file, stepEnds(file.length, cuts)), pieces)
    })
    await fc.assert(property, { numRuns: Number(process.env.RUNS ?? 300) })
  })
