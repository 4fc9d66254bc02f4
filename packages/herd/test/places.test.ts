import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { createManualClock, type Fault, systemClock } from '@drover/kernel'
import { createTopology, serveHerd } from '../src/index.ts'
import { openFilePlaces } from '../src/places/file-places.ts'
import { createGooglePlaces } from '../src/places/google.ts'
import { createGoogleNewPlaces } from '../src/places/google-new.ts'
import { createOfflinePlaces } from '../src/places/offline.ts'
import { createOverpassPlaces } from '../src/places/overpass.ts'
import { renderPlaces } from '../src/places/places.ts'
import { exchange } from './line-client.ts'

const secret = 'AIza-this-is-the-key'
const ucla = { latitude: 34.06893, longitude: -118.445127, radiusMeters: 10_000, limit: 5 }

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A local server that speaks as Google or Overpass does. */
let answer: Answer
let requests: { url: string; method: string; headers: IncomingMessage['headers']; body: string }[]
let baseUrl: string
let directory: string
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString()
    const { url = '', method = '', headers } = request
    requests.push({ url, method, headers, body })
    answer(request, response, body)
  })
})

beforeEach(async () => {
  requests = []
  directory = await mkdtemp(join(tmpdir(), 'drover-herd-'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  baseUrl = `http://127.0.0.1:${(server.address() as { port: number }).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(directory, { recursive: true })
})

function json(value: unknown, status = 200): Answer {
  return (_request, response) => response.writeHead(status).end(JSON.stringify(value))
}

function page(count: number, from = 0, token?: string) {
  return {
    html_attributions: [],
    ...(token && { next_page_token: token }),
    results: Array.from({ length: count }, (_, index) => ({ name: `place ${from + index}` })),
    status: 'OK',
  }
}

const google = (clock = systemClock) => createGooglePlaces({ key: secret, baseUrl, clock })
const googleNew = () => createGoogleNewPlaces({ key: secret, baseUrl, clock: systemClock })
const never = new AbortController().signal

test('Google is asked as its documentation says', async () => {
  answer = json(page(5))
  await google().search(ucla, never)

  assert.equal(
    requests[0]?.url,
    `/maps/api/place/nearbysearch/json?location=34.06893,-118.445127&radius=10000&key=${secret}`,
  )
})

const statuses = [
  'ZERO_RESULTS',
  'INVALID_REQUEST',
  'OVER_QUERY_LIMIT',
  'REQUEST_DENIED',
  'UNKNOWN_ERROR',
]
for (const status of statuses)
  test(`Google's ${status} is passed on as it is`, async () => {
    const said = { html_attributions: [], results: [], status, error_message: 'why' }
    answer = json(said)

    assert.deepEqual(await google().search(ucla, never), said)
  })

test('page tokens are followed as far as the bound needs, and tried until they are valid', async () => {
  const clock = createManualClock()
  let tries = 0
  answer = (request, response, body) => {
    if (!request.url?.includes('pagetoken'))
      return json(page(3, 0, 'next'))(request, response, body)
    tries++
    const early = { html_attributions: [], results: [], status: 'INVALID_REQUEST' }
    return json(tries < 3 ? early : page(3, 3, 'more'))(request, response, body)
  }
  const asked = google(clock).search(ucla, never)
  let found: Awaited<typeof asked> | undefined
  void asked.then((places) => {
    found = places
  })
  for (let round = 0; round < 400 && !found; round++) {
    await clock.advance(100)
    await new Promise((resolve) => setImmediate(resolve))
  }

  assert.equal(found?.results.length, 6)
  assert.equal(found?.next_page_token, 'more')
  assert.equal(tries, 3)
})

test('no page token is followed when the first page is enough', async () => {
  answer = json(page(20, 0, 'next'))
  await google().search({ ...ucla, limit: 20 }, never)

  assert.equal(requests.length, 1)
})

test("Google's new API is asked with a field mask, and answers as the legacy one", async () => {
  answer = json({
    places: [
      {
        id: 'abc',
        displayName: { text: 'Café' },
        location: { latitude: 1, longitude: 2 },
        viewport: { low: { latitude: 0, longitude: 1 }, high: { latitude: 2, longitude: 3 } },
        types: ['cafe'],
        rating: 4.5,
        userRatingCount: 7,
        priceLevel: 'PRICE_LEVEL_MODERATE',
        shortFormattedAddress: 'Main St',
        currentOpeningHours: { openNow: true },
      },
    ],
  })
  const { results, status } = await googleNew().search(ucla, never)

  const [request] = requests
  assert.equal(request?.url, '/v1/places:searchNearby')
  assert.equal(request?.headers['x-goog-api-key'], secret)
  assert.match(String(request?.headers['x-goog-fieldmask']), /places\.displayName/)
  assert.deepEqual(JSON.parse(request?.body ?? ''), {
    maxResultCount: 5,
    locationRestriction: {
      circle: { center: { latitude: 34.06893, longitude: -118.445127 }, radius: 10_000 },
    },
  })
  assert.equal(status, 'OK')
  assert.deepEqual(JSON.parse(JSON.stringify(results)), [
    {
      geometry: {
        location: { lat: 1, lng: 2 },
        viewport: { northeast: { lat: 2, lng: 3 }, southwest: { lat: 0, lng: 1 } },
      },
      name: 'Café',
      opening_hours: { open_now: true },
      place_id: 'abc',
      price_level: 2,
      rating: 4.5,
      reference: 'abc',
      scope: 'GOOGLE',
      types: ['cafe'],
      user_ratings_total: 7,
      vicinity: 'Main St',
    },
  ])
})

const newStatuses = [
  [400, 'INVALID_REQUEST'],
  [401, 'REQUEST_DENIED'],
  [403, 'REQUEST_DENIED'],
  [429, 'OVER_QUERY_LIMIT'],
  [503, 'UNKNOWN_ERROR'],
] as const
for (const [code, status] of newStatuses)
  test(`the new API's ${code} becomes ${status}`, async () => {
    answer = json({ error: { code, message: 'because' } }, code)

    const said = await googleNew().search(ucla, never)
    assert.deepEqual([said.status, said.error_message, said.results], [status, 'because', []])
  })

test('an empty answer of the new API is ZERO_RESULTS', async () => {
  answer = json({})

  assert.equal((await googleNew().search(ucla, never)).status, 'ZERO_RESULTS')
})

test('Overpass answers in the same form, nearest first', async () => {
  answer = json({
    elements: [
      {
        type: 'way',
        id: 2,
        center: { lat: 34.2, lon: -118.4 },
        tags: { name: 'Far', shop: 'toys' },
      },
      { type: 'node', id: 1, lat: 34.069, lon: -118.445, tags: { name: 'Near', amenity: 'cafe' } },
      { type: 'node', id: 3, lat: 34.069, lon: -118.445, tags: { amenity: 'bench' } },
    ],
  })
  const said = await createOverpassPlaces({ baseUrl }).search(ucla, never)

  assert.deepEqual(
    said.results.map((place) => (place as { name: string }).name),
    ['Near', 'Far'],
  )
  assert.deepEqual(said.html_attributions, ['© OpenStreetMap contributors'])
  assert.match(decodeURIComponent(requests[0]?.body ?? ''), /around:10000,34\.06893,-118\.445127/)
})

test('the offline towns answer within the radius, nearest first', async () => {
  const offline = createOfflinePlaces()
  const said = await offline.search({ ...ucla, radiusMeters: 5_000 }, never)
  const none = await offline.search(
    { latitude: 0, longitude: -30, radiusMeters: 1_000, limit: 5 },
    never,
  )
  await offline.close()

  const names = said.results.map((place) => (place as { name: string }).name)
  assert.ok(names.includes('Beverly Hills') || names.includes('Westwood'), names.join())
  assert.equal(said.status, 'OK')
  assert.deepEqual([none.status, none.results], ['ZERO_RESULTS', []])
})

test('a CSV file and a GeoJSON file answer; a broken one is refused', async () => {
  const csv = join(directory, 'places.csv')
  await writeFile(
    csv,
    'name,lat,lng,types\r\n"Café ""A"", west",34.069,-118.445,cafe|bar\r\nFar,0,0,\r\n',
  )
  const geo = join(directory, 'places.geojson')
  const point = { type: 'Point', coordinates: [-118.445, 34.069] }
  await writeFile(
    geo,
    JSON.stringify({ features: [{ type: 'Feature', geometry: point, properties: { name: 'B' } }] }),
  )
  const broken = join(directory, 'broken.csv')
  await writeFile(broken, 'name,lat,lng\nA,ninety,0\n')

  const [first] = (await (await openFilePlaces(csv)).search(ucla, never)).results
  assert.deepEqual(
    [(first as { name: string }).name, (first as { types: string[] }).types],
    ['Café "A", west', ['cafe', 'bar']],
  )
  assert.equal((await (await openFilePlaces(geo)).search(ucla, never)).results.length, 1)
  await assert.rejects(openFilePlaces(broken), { code: 'PLACES_FILE_INVALID' })
})

test('the answer is laid out without two newlines in a row, but for the end', () => {
  const text = renderPlaces(page(3) as never, 2).toString()

  assert.ok(text.endsWith('}\n\n'))
  assert.doesNotMatch(text.slice(0, -2), /\n\n/)
  assert.equal(JSON.parse(text).results.length, 2)
})

test('an answer that many ask for is made into text once, and anew for another bound', () => {
  const answer = page(3) as never
  const first = renderPlaces(answer, 2)

  assert.equal(renderPlaces(answer, 2), first)
  const places = [1, 3, 2].map(
    (bound) => JSON.parse(renderPlaces(answer, bound).toString()).results.length,
  )
  assert.deepEqual(places, [1, 3, 2])
  assert.deepEqual(renderPlaces(page(3) as never, 2), first)
})

const troubles: Record<string, Answer> = {
  'an answer that is no JSON': (_request, response) => response.end('<html>'),
  'a connection that breaks': (request) => request.socket.destroy(),
  'a redirect': (_request, response) => response.writeHead(302, { location: '/' }).end(),
  'an answer that is too long': (_request, response) => response.end(Buffer.alloc(5_000_000, 32)),
}
for (const [what, trouble] of Object.entries(troubles))
  test(`${what} is a question mark, its cause is logged, and the key is nowhere`, async () => {
    answer = trouble
    const topology = createTopology('alone', { Clark: 0 }, [])
    const options = { key: Buffer.from('a key for this test'), logDirectory: directory }
    const herd = await serveHerd('Clark', topology, { ...options, places: google() })
    const said = await exchange(
      herd.ports.clients,
      'IAMAT kiwi +34.0-118.4 1.0\nWHATSAT kiwi 10 5\n',
    )
    await herd.stop()

    assert.match(said, /\n\? WHATSAT kiwi 10 5\n$/)
    const log = await readFile(join(directory, 'Clark.log'), 'utf8')
    assert.match(log, /"event":"herd\.places\.failed","code":"PLACES_UNREACHABLE"/)
    assert.ok(!log.includes(secret) && !said.includes(secret))
    for (const line of log.trim().split('\n')) JSON.parse(line)
  })

test('a fault of a provider says nothing of the key', async () => {
  answer = (request) => request.socket.destroy()

  await assert.rejects(google().search(ucla, never), (error: Fault) => {
    assert.ok(!JSON.stringify([error.message, error.stack, String(error.cause)]).includes(secret))
    return error.code === 'PLACES_UNREACHABLE'
  })
})

test('an answer of Google whose status is not OK reaches the client as it is', async () => {
  const denied = {
    error_message: 'The provided API key is invalid.',
    html_attributions: [],
    results: [],
    status: 'REQUEST_DENIED',
  }
  answer = json(denied)
  const options = { key: Buffer.from('a key for this test'), recordsMax: 100, places: google() }
  const herd = await serveHerd('Clark', createTopology('alone', { Clark: 0 }, []), options)
  const said = await exchange(herd.ports.clients, 'IAMAT kiwi +34.0-118.4 1.0\nWHATSAT kiwi 10 5\n')
  await herd.stop()

  const [, at = '', ...body] = said.split('\n')
  assert.match(at, /^AT Clark /)
  assert.deepEqual(JSON.parse(body.join('\n')), denied)
  assert.match(requests[0]?.url ?? '', /location=34,-118\.4&radius=10000&/)
})
