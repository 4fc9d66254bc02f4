import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, systemClock } from '@drover/kernel'
import type { Chunker, Resume } from '../../src/chunkers/chunker.ts'
import { fileStart } from '../../src/chunkers/chunker.ts'
import { PatternThread } from '../../src/chunkers/pattern-thread.ts'
import { PieceList } from '../../src/pieces/piece-list.ts'
import { parseWay } from '../../src/way/parse-way.ts'
import { createChunker, planFor } from '../../src/way/plan.ts'
import type { WayOptions } from '../../src/way/way.ts'
import { cut, cutTexts } from '../cut.ts'
import { makeText } from '../texts.ts'

function chunker(by: string, text: string, options: WayOptions = {}, resume: Resume = fileStart) {
  const file = Buffer.from(text)
  const plan = planFor(parseWay(by, options), file.length, file)
  return createChunker(plan, resume, systemClock)
}

async function sameInSteps(by: string, text: string, options: WayOptions = {}): Promise<string[]> {
  const whole = await cutTexts(chunker(by, text, options), text)
  for (const step of [1_000, 37])
    assert.deepEqual(
      await cutTexts(chunker(by, text, options), text, step),
      whole,
      `steps of ${step}`,
    )
  return whole
}

test('a delimiter ends a piece, begins one, or is dropped', async () => {
  const cutBy = (keep: string) => sameInSteps('delimiter ab', 'xabyaabzab', { keep })

  assert.deepEqual(await cutBy('end'), ['xab', 'yaab', 'zab'])
  assert.deepEqual(await cutBy('start'), ['x', 'abya', 'abz', 'ab'])
  assert.deepEqual(await cutBy('drop'), ['x', 'ya', 'z'])
})

test('a pattern cuts at every match that is not empty, wherever pushes end', async () => {
  const text = makeText(300_000)

  const pieces = await sameInSteps('regex /[.!?]\\s+/', text)

  assert.equal(pieces.join(''), text)
  assert.deepEqual(pieces, text.split(/(?<=[.!?]\s+)(?=\S)/))
  assert.deepEqual(await cutTexts(chunker('regex /x*/', 'axxb'), 'axxb'), ['axx', 'b'])
})

test('a pattern with the flag u sees characters, and offsets stay those of bytes', async () => {
  const text = 'é1é22é'.repeat(30_000)

  const pieces = await cutTexts(chunker('regex /\\p{L}/u', text, { keep: 'drop' }), text, 40_001)

  assert.deepEqual(new Set(pieces), new Set(['', '1', '22']))
})

test('a pattern that runs away is ended', async () => {
  const clock = createManualClock()
  const thread = new PatternThread(clock, 1_000)
  const bytes = new Uint8Array(Buffer.from(`${'a'.repeat(40)}!`))
  const search = thread.search({ source: '^(a+)+$', flags: '', bytes, from: 0 })

  const refused = assert.rejects(search, { code: 'PATTERN_TOO_SLOW' })
  await clock.advance(1_001)

  await refused
})

test('CSV is never cut in a quoted newline, and a stray quote does no harm', async () => {
  const rows = ['a,"x\ny ""q"" z"\n', '5" pipe,2\n', '"",3\r\n', 'd,"\n\n"\n', 'end,4']

  const pieces = await sameInSteps('records 2', rows.join(''))

  assert.deepEqual(pieces, [`${rows[0]}${rows[1]}`, `${rows[2]}${rows[3]}`, rows[4]])
})

test('CSV that ends within quotes is refused', async () => {
  await assert.rejects(cutTexts(chunker('records 2', 'a,"b\n'), 'a,"b\n'), {
    code: 'RECORDS_INVALID',
  })
})

test('a JSON array is cut between elements, brackets in texts or not', async () => {
  const elements = Array.from({ length: 50 }, (_, index) => ({ index, text: `],[{"\\ ${index}` }))
  const text = JSON.stringify(elements, null, 1)

  const pieces = await sameInSteps('records 7', text)

  assert.deepEqual(
    pieces.flatMap((piece) => JSON.parse(`[${piece}]`)),
    elements,
  )
  assert.equal(pieces.length, 8)
})

test('what is no JSON array is refused', async () => {
  for (const text of ['{"a":1}', '[1,2', '[1] x', '[,1]'])
    await assert.rejects(cutTexts(chunker('records 2', text, { format: 'json' }), text), {
      code: 'RECORDS_INVALID',
    })
})

const textWays = [
  'tokens 50/10',
  'sentences 300/60',
  'markdown 300/60',
  'tokens 20',
  'sentences 64',
]

for (const by of textWays)
  test(`${by} covers the text, repeats what it should, and never divides a character`, async () => {
    const emoji = '👩‍👩‍👧‍👦🇩🇪é漢字。'
    const text = `# T\n\n${makeText(20_000)}\n\n\`\`\`\n# no heading\n\`\`\`\n${emoji.repeat(80)} ${makeText(5_000)}`
    const file = Buffer.from(text)
    const boundaries = new Set<number>([file.length])
    let at = 0
    for (const { segment } of new Intl.Segmenter('und').segment(text)) {
      boundaries.add(at)
      at += Buffer.byteLength(segment)
    }

    const pieces = await cut(chunker(by, text), file)

    assert.deepEqual(await cut(chunker(by, text), file, 777), pieces)
    let covered = 0
    for (const [start, end] of pieces) {
      assert.ok(start <= covered && end > start, `[${start}, ${end}) after ${covered}`)
      assert.ok(boundaries.has(start) && boundaries.has(end), `${start} or ${end} divides`)
      covered = end
    }
    assert.equal(covered, file.length)
    const most = /sentences|markdown/.test(by) ? Number(/\d+/.exec(by)?.[0]) : 400
    for (const [start, end] of pieces) assert.ok(end - start <= most, `${end - start} bytes`)
  })

test('sentences end where sentences end', async () => {
  const pieces = await cutTexts(
    chunker('sentences 32', ''),
    'One is here. Two is here! Three is there? Four.',
  )

  assert.deepEqual(pieces, ['One is here. Two is here! ', 'Three is there? Four.'])
})

test('Markdown is cut at headings, not within a fence', async () => {
  const text = `# One\n\ntext\n\n\`\`\`\n# not a heading\nmore\n\`\`\`\n\n# Two\n\n${'word '.repeat(12)}`

  const pieces = await cutTexts(chunker('markdown 80', ''), text)

  assert.deepEqual(pieces[1]?.startsWith('# Two'), true)
})

test('text that is binary or not UTF-8 is refused, with the place', async () => {
  for (const bytes of [
    Buffer.from('a\0b'),
    Buffer.from([0x61, 0xff, 0x61]),
    Buffer.from([0x61, 0xc3]),
  ]) {
    const pieces = new PieceList()
    const made = chunker('tokens', '')
    const push = async () => {
      await made.push(bytes, pieces)
      await made.end(pieces)
    }
    await assert.rejects(push, { code: 'NOT_TEXT' })
  }
})

const resumable = [
  'tokens 50/10',
  'sentences 300/60',
  'markdown 300/60',
  'regex /e+/',
  'records 3',
  'lines 5',
  'delimiter e',
  'cdc 64/256/1024',
]

for (const by of resumable)
  test(`${by} goes on from where it says it would`, async () => {
    const text = `# T\n\n\`\`\`\n${makeText(8_000)}\n\`\`\`\n${makeText(8_000)}`
    const file = Buffer.from(text)
    const whole = await cut(chunker(by, text), file)
    const first: Chunker = chunker(by, text)
    const pieces = new PieceList()
    await first.push(file.subarray(0, 9_000), pieces)
    const { resumeAt, carry = '' } = first
    await first.close?.()

    const before = file.subarray(Math.max(0, resumeAt - 4_096), resumeAt)
    const second = chunker(by, text, {}, { startAt: resumeAt, carry, before })
    const rest = await cut(second, file.subarray(resumeAt))

    assert.deepEqual(rest, whole.slice(pieces.count))
  })
