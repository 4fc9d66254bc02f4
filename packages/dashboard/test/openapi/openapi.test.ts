import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startDrover } from '../harness/drover.ts'
import { webConfig } from '../harness/everything.ts'
import { type Document, renderTypes } from './render-types.ts'

/** The compiled test lies in dist/test/openapi. */
const source = new URL('../../../src/client/admin-api.ts', import.meta.url)

test('the types of the admin API are those of the document that it serves', async (t) => {
  const drover = await startDrover(t, webConfig())
  const document = await drover.get<Document>('/openapi.json')

  const rendered = renderTypes('AdminApi', document)

  const file = fileURLToPath(source)
  if (process.env.WRITE_DOCS) writeFileSync(file, rendered)
  const written = routesOf(readFileSync(file, 'utf8'))
  const served = routesOf(rendered)
  const routes = [...new Set([...served.keys(), ...written.keys()])]
  assert.ok(served.size > 10)
  assert.deepEqual(
    routes.filter((route) => served.get(route) !== written.get(route)),
    [],
    'routes that differ; WRITE_DOCS=1 npm test -- openapi, and npm run format, make the file anew',
  )
})

/** Each route with its text, without what the formatter may change: line breaks, commas, brackets. */
function routesOf(text: string): Map<string, string> {
  const parts = text.split(/^ {2}'(?=[A-Z]+ \/)/m).slice(1)
  return new Map(
    parts.map((part) => {
      const [route = '', rest = ''] = part.split(/':(.*)/s)
      const [own = ''] = rest.split('/**')
      return [route, own.replaceAll(/[\s;,|()]+/g, '').replace(/\}\}$/, '}')]
    }),
  )
}
