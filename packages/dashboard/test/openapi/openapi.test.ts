import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startDrover, until } from '../harness/drover.ts'
import { jobsConfig, webConfig } from '../harness/everything.ts'
import { type Document, renderTypes } from './render-types.ts'

/** The compiled test lies in dist/test/openapi. */
const sources = new URL('../../../src/', import.meta.url)

/** What the page asks of the jobs; the whole of their API is longer than a file may be. */
const jobsRoutes = [
  'GET /v1/callbacks',
  'GET /v1/callbacks/{id}',
  'GET /v1/jobs',
  'GET /v1/jobs/{id}',
  'GET /v1/schedules',
  'GET /v1/stats',
  'POST /v1/jobs',
  'POST /v1/jobs/retry',
  'POST /v1/schedules',
  'POST /v1/schedules/{id}/pause',
  'POST /v1/tokens',
]

test('the types of the admin API are those of the document that it serves', async (t) => {
  const drover = await startDrover(t, webConfig())
  const document = await drover.get<Document>('/openapi.json')

  const rendered = renderTypes('AdminApi', document, (route) => route.includes(' /v1/'))

  assertSame('client/admin-api.ts', rendered)
})

test('the types of the jobs are those of the document that they serve', async (t) => {
  const drover = await startDrover(t, { services: jobsConfig(9) })
  const read = () => drover.get<Document>('/parts/jobs/openapi.json').catch(() => undefined)
  await until('the jobs', read)
  const document = (await read()) as Document

  const rendered = renderTypes('JobsApi', document, (route) => jobsRoutes.includes(route))

  assertSame('jobs/jobs-openapi.ts', rendered)
})

function assertSame(name: string, rendered: string): void {
  const file = fileURLToPath(new URL(name, sources))
  if (process.env.WRITE_DOCS) writeFileSync(file, rendered)
  const written = routesOf(readFileSync(file, 'utf8'))
  const served = routesOf(rendered)
  const routes = [...new Set([...served.keys(), ...written.keys()])]
  assert.ok(served.size >= jobsRoutes.length)
  assert.deepEqual(
    routes.filter((route) => served.get(route) !== written.get(route)),
    [],
    'routes that differ; WRITE_DOCS=1 npm test -- openapi, and npm run format, make the file anew',
  )
}

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
