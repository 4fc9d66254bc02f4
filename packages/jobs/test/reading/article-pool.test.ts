import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, systemClock } from '@drover/kernel'
import { readingDefaults } from '../../src/options.ts'
import { createArticlePool } from '../../src/reading/article-pool.ts'

const sentence = 'The miller asked the ferryman, politely, whether the rope had been paid for. '
const article = `<html><body><article>${`<p>${sentence.repeat(5)}</p>`.repeat(8)}</article></body></html>`

test('one thread reads page after page, and a page that takes too long is given up', async () => {
  const clock = createManualClock()
  const few = createArticlePool({ ...readingDefaults, threads: 1 }, clock)

  const texts = await Promise.all([1, 2, 3].map(() => few.read(article)))
  const slow = few.read(article.repeat(400))
  await clock.advance(readingDefaults.readMs)
  const after = few.read(article)

  assert.ok(texts.every((text) => text?.includes('ferryman')))
  assert.equal(await slow, undefined)
  assert.ok((await after)?.includes('ferryman'))
  await few.stop()
})

test('a page that takes more memory than a thread may have is no article, and the next one is read', async () => {
  const pool = createArticlePool({ ...readingDefaults, threadMib: 32 }, systemClock)

  const [large, next] = [pool.read(`${article}${'<p>a, b, c'.repeat(150_000)}`), pool.read(article)]

  assert.equal(await large, undefined)
  assert.ok((await next)?.includes('ferryman'))
  await pool.stop()
})

test('pages that are being read when the pool stops fail, and are not taken for plain ones', async () => {
  const pool = createArticlePool({ ...readingDefaults, waitingMax: 2 }, createManualClock())
  const reading = [pool.read(article.repeat(400)), pool.read(article), pool.read(article)]
  const settled = Promise.allSettled(reading)

  await assert.rejects(pool.read(article), { code: 'READING_FAILED', message: /2 pages wait/ })
  await pool.stop()
  const codes = (await settled).map((end) => end.status === 'rejected' && end.reason.code)

  assert.deepEqual(
    codes,
    Array.from({ length: 3 }, () => 'READING_FAILED'),
  )
  await assert.rejects(pool.read(article), { code: 'READING_FAILED' })
})

test('a page of more characters than are read as an article is none', async () => {
  const pool = createArticlePool({ ...readingDefaults, articleCharsMax: 100 }, systemClock)

  assert.equal(await pool.read(article), undefined)
  await pool.stop()
})
