import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startDrover } from '../harness/drover.ts'
import { type Document, renderTypes } from './render-types.ts'

/** The compiled test lies in dist/test/openapi. */
const source = new URL('../../../src/client/admin-api.ts', import.meta.url)

test('the types of the admin API are those of the document that it serves', async (t) => {
  const drover = await startDrover(t, { services: {}, listeners: [] })
  const document = await drover.get<Document>('/openapi.json')

  const rendered = renderTypes('AdminApi', document)

  const file = fileURLToPath(source)
  if (process.env.WRITE_DOCS) writeFileSync(file, rendered)
  const written = readFileSync(file, 'utf8')
  assert.equal(
    squeeze(written),
    squeeze(rendered),
    'make it anew: WRITE_DOCS=1 npm test -- openapi',
  )
})

/** The formatter may break lines and add commas. */
function squeeze(text: string): string {
  return text.replaceAll(/[\s;,|()]+/g, ' ').trim()
}
