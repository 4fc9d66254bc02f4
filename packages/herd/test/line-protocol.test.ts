import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fastCheck from 'fast-check'
import type { HerdServer, PlacesProvider } from '../src/index.ts'
import { createTopology, serveHerd } from '../src/index.ts'
import { foundPlaces } from '../src/places/places.ts'
import { eventually, exchange, LineClient } from './line-client.ts'

const kiwi = 'IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503'
const key = Buffer.from('a key for this test only')

/** Two places, named after the question, so that a test sees what was asked. */
const twoPlaces: PlacesProvider = {
  name: 'two',
  decimals: 6,
  search: async ({ latitude, longitude, radiusMeters }) =>
    foundPlaces(
      ['one', 'two'].map((name) => ({
        name: `${name} near ${latitude},${longitude} within ${radiusMeters} m`,
        place_id: name,
        geometry: { location: { lat: latitude, lng: longitude } },
        types: [],
      })),
      'made up',
    ),
  close: async () => {},
}

const noPlaces: PlacesProvider = {
  ...twoPlaces,
  search: async () => {
    throw new Error('nobody there')
  },
}

let server: HerdServer
let lenient: HerdServer
let iso: HerdServer
let lost: HerdServer

before(async () => {
  const topology = createTopology('alone', { Clark: 0 }, [])
  const options = { key, places: twoPlaces, sync: false, recordsMax: 10_000 }
  server = await serveHerd('Clark', topology, options)
  lenient = await serveHerd('Clark', topology, { ...options, profile: 'lenient' })
  iso = await serveHerd('Clark', topology, { ...options, profile: 'iso' })
  lost = await serveHerd('Clark', topology, { ...options, places: noPlaces })
})
after(() => Promise.all([server, lenient, iso, lost].map((each) => each.stop())))

test('IAMAT is answered by AT, the operands character for character', async () => {
  const text = await exchange(server.ports.clients, `${kiwi}\n`)

  assert.match(
    text,
    /^AT Clark \+\d+\.\d{9} kiwi\.cs\.ucla\.edu \+34\.068930-118\.445127 1621464827\.959498503\n$/,
  )
})

test('the difference is exact to the nanosecond and signed both ways', async () => {
  const future = await exchange(server.ports.clients, 'IAMAT late +1.0+2.0 99999999999.999999999\n')
  const [, , difference = ''] = future.split(' ')

  assert.match(difference, /^-\d+\.\d{9}$/)
  const nowNanos = BigInt(Date.now()) * 1_000_000n
  const saidNanos = 99_999_999_999_999_999_999n
  const [whole = '', part = ''] = difference.slice(1).split('.')
  const clockNanos = saidNanos - (BigInt(whole) * 1_000_000_000n + BigInt(part))
  const apart = clockNanos - nowNanos
  assert.ok(apart > -10_000_000_000n && apart < 10_000_000_000n, `${apart} ns from now`)
})

const invalid: Record<string, string> = {
  'unknown command': 'HELLO world',
  'a command in small letters': 'iamat kiwi +34.068930-118.445127 1621464827.959498503',
  'a command that begins like one': 'IAMATX kiwi +34.0-118.4 1.5',
  'a peer message': 'AT Clark +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503',
  'IAMAT alone': 'IAMAT',
  'a field too few': 'IAMAT kiwi +34.068930-118.445127',
  'a field too many': 'IAMAT kiwi +34.068930-118.445127 1621464827.9 more',
  'a location of one number': 'IAMAT kiwi +34.068930 1621464827.9',
  'a location without signs': 'IAMAT kiwi 34.068930-118.445127 1621464827.9',
  'a latitude over 90': 'IAMAT kiwi +90.1-118.4 1621464827.9',
  'a latitude just over 90': 'IAMAT kiwi +90.00000000000000000001-118.4 1621464827.9',
  'a longitude over 180': 'IAMAT kiwi +34.0-180.5 1621464827.9',
  'an exponent': 'IAMAT kiwi +1e1-118.4 1621464827.9',
  'a comma': 'IAMAT kiwi +34,06-118,44 1621464827.9',
  'missing digits before the point': 'IAMAT kiwi +.5-1 1621464827.9',
  'missing digits after the point': 'IAMAT kiwi +5.-1 1621464827.9',
  'two signs': 'IAMAT kiwi +34.068930+-118.4 1621464827.9',
  'minutes and seconds': 'IAMAT kiwi +401213.1-0750015.1 1621464827.9',
  'degrees and minutes': 'IAMAT kiwi +4012-07500 1621464827.9',
  'a height': 'IAMAT kiwi +40-075+350 1621464827.9',
  'a solidus': 'IAMAT kiwi +40-075/ 1621464827.9',
  'a time that is a word': 'IAMAT kiwi +34.0-118.4 noon',
  'a time with an exponent': 'IAMAT kiwi +34.0-118.4 1e9',
  'a time with a sign': 'IAMAT kiwi +34.0-118.4 -5.0',
  'a time that ends in a point': 'IAMAT kiwi +34.0-118.4 5.',
  'a time that begins with a point': 'IAMAT kiwi +34.0-118.4 .5',
  'a time of two points': 'IAMAT kiwi +34.0-118.4 1.2.3',
  'a time of inf': 'IAMAT kiwi +34.0-118.4 inf',
  'a time in hex': 'IAMAT kiwi +34.0-118.4 0x10',
  'a time of too many digits': 'IAMAT kiwi +34.0-118.4 1234567890123456',
  'a radius over 50': 'WHATSAT known 50.1 5',
  'a radius below 0': 'WHATSAT known -1 5',
  'a radius that is a word': 'WHATSAT known ten 5',
  'a radius of NaN': 'WHATSAT known NaN 5',
  'a bound over 20': 'WHATSAT known 10 21',
  'a bound below 0': 'WHATSAT known 10 -1',
  'a bound with decimals': 'WHATSAT known 10 5.0',
  'a bound that is a word': 'WHATSAT known 10 many',
  'a field too few in WHATSAT': 'WHATSAT known 10',
  'a field too many in WHATSAT': 'WHATSAT known 10 5 5',
  'an unknown client': 'WHATSAT nobody 10 5',
  'inner runs of blanks': 'IAMAT   kiwi \t  nowhere   1.0',
  'leading and trailing blanks': '   what is this   ',
  'bytes that are no ASCII': 'HEJ \xe5\xe4\xf6 \xff',
}

for (const [what, line] of Object.entries(invalid))
  test(`${what} gets a question mark and the line as it came`, async () => {
    await exchange(server.ports.clients, 'IAMAT known +34.0-118.4 1.0\n')

    assert.equal(await exchange(server.ports.clients, `${line}\n`), `? ${line}\n`)
  })

test('an empty line gets nothing, nor does one of blanks', async () => {
  assert.equal(await exchange(server.ports.clients, '\n\r\n \t \n\v\f\n'), '')
})

test('every kind of blank parts fields, and CRLF ends a line', async () => {
  const text = await exchange(
    server.ports.clients,
    ' \tIAMAT\vblanks\f+5.0-8.25 \r 1.5 \r\nnonsense\r\n',
  )

  assert.match(text, /^AT Clark \+\d+\.\d{9} blanks \+5\.0-8\.25 1\.5\n\? nonsense\n$/)
})

const locations = ['+5.0-8.25', '+12-118', '+90-180', '-90.000+180.0', '+0+0', '-00.5+001.25']
for (const location of locations)
  test(`the location ${location} is taken as it is`, async () => {
    const text = await exchange(server.ports.clients, `IAMAT at${location} ${location} 7.000\n`)

    assert.equal(text.slice(text.indexOf(' at')), ` at${location} ${location} 7.000\n`)
  })

test('many lines in one packet, and one line in many packets, are answered in order', async () => {
  const client = await LineClient.connect(server.ports.clients)
  client.send('a\nb\n')
  for (const byte of 'IAMAT cut +1.5-2.5 3.25\r\nc') {
    client.send(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  client.send('\n')

  const [a, b, at, c] = await client.lines(4)
  client.close()
  assert.deepEqual([a, b, c], ['? a', '? b', '? c'])
  assert.match(at ?? '', /^AT Clark \+\d+\.\d{9} cut \+1\.5-2\.5 3\.25$/)
})

test('an unterminated last line is processed at the half-close, and answered after the FIN', async () => {
  assert.equal(await exchange(server.ports.clients, 'one\ntwo'), '? one\n? two\n')
})

test('an older IAMAT, or one of the same time, is answered and not stored', async () => {
  const port = server.ports.clients
  await exchange(port, 'IAMAT order +10+20 100.5\n')
  const older = await exchange(port, 'IAMAT order +11+21 100.499999999\n')
  const equal = await exchange(port, 'IAMAT order +12+22 100.50\n')
  const asked = await exchange(port, 'WHATSAT order 1 0\n')

  assert.match(older, / order \+11\+21 100\.499999999\n$/)
  assert.match(equal, / order \+12\+22 100\.50\n$/)
  assert.match(asked, / order \+10\+20 100\.5\n/)
})

test('one nanosecond later is later', async () => {
  const port = server.ports.clients
  await exchange(port, 'IAMAT nano +10+20 1621464827.000000001\n')
  await exchange(port, 'IAMAT nano +30+40 1621464827.000000002\n')

  assert.match(await exchange(port, 'WHATSAT nano 1 0\n'), / nano \+30\+40 1621464827\.000000002\n/)
})

test('WHATSAT gets the AT line and the places cut to the bound, in one packet', async () => {
  const port = server.ports.clients
  const at = await exchange(port, 'IAMAT place +34.5-118.25 1.5\n')
  const client = await LineClient.connect(port)
  client.send('WHATSAT place 2.5 1\n')
  const text = await client.until((all) => all.endsWith('\n\n'))
  client.close()

  assert.equal(client.packets.length, 1)
  assert.ok(text.startsWith(at))
  const body = text.slice(at.length)
  assert.doesNotMatch(body.slice(0, -2), /\n\n/)
  assert.ok(body.endsWith('}\n\n'))
  assert.deepEqual(JSON.parse(body), {
    html_attributions: ['made up'],
    results: [
      {
        name: 'one near 34.5,-118.25 within 2500 m',
        place_id: 'one',
        geometry: { location: { lat: 34.5, lng: -118.25 } },
        types: [],
      },
    ],
    status: 'OK',
  })
})

test('answers keep the order of the lines, although places take longer', async () => {
  const text = await exchange(
    server.ports.clients,
    'IAMAT mixed +1+1 1.0\nWHATSAT mixed 1 0\nnonsense\nWHATSAT mixed 1 0\n',
  )

  const starts = text.split('\n').filter((line) => /^(AT|\?)/.test(line))
  assert.deepEqual(
    starts.map((line) => line.split(' ')[0]),
    ['AT', 'AT', '?', 'AT'],
  )
})

test('places that cannot be reached are a question mark and the line', async () => {
  await exchange(lost.ports.clients, 'IAMAT place +34.5-118.25 1.5\n')

  assert.equal(await exchange(lost.ports.clients, 'WHATSAT place  1 1\n'), '? WHATSAT place  1 1\n')
})

test('a line over 64 KiB gets its first 1,024 bytes back, and the end', async () => {
  const client = await LineClient.connect(server.ports.clients)
  client.send(`first\n${'x'.repeat(70_000)}\nlast\n`)
  await eventually(() => client.hasEnded, 'the end')

  assert.equal(client.text, `? first\n? ${'x'.repeat(1_024)}\n`)
})

test('a line of exactly 64 KiB is a line', async () => {
  const line = 'y'.repeat(65_536)

  assert.equal(await exchange(server.ports.clients, `${line}\n`), `? ${line}\n`)
})

test('a NUL gets the line back and the end, wherever the packets are cut', async () => {
  const client = await LineClient.connect(server.ports.clients)
  client.send('IAMAT ki')
  await new Promise((resolve) => setImmediate(resolve))
  client.send('wi\0 +1+1 1.0\nlast\n')
  await eventually(() => client.hasEnded, 'the end')

  assert.equal(client.text, '? IAMAT kiwi\0 +1+1 1.0\n')
})

test('a client id of any bytes, and of 60 KiB, comes back as it is', async () => {
  const id = `\xe9\xff"{}\\${'z'.repeat(60_000)}`
  const text = await exchange(server.ports.clients, `IAMAT ${id} +1+1 1.0\nWHATSAT ${id} 1 0\n`)

  assert.equal(text.split(id).length - 1, 2)
})

test('lenient: a partial line counts after a while, and an idle connection is closed', async () => {
  const client = await LineClient.connect(lenient.ports.clients)
  client.send('IAMAT slow +40-075/ 5.5')

  const text = await client.until((all) => all.endsWith('\n'))
  assert.match(text, /^AT Clark \+\d+\.\d{9} slow \+40-075\/ 5\.5\n$/)
  await eventually(() => client.hasEnded, 'the server to close')
})

test('iso: all of ISO 6709 Annex H is taken, and unpadded degrees are not', async () => {
  const port = iso.ports.clients
  assert.match(await exchange(port, 'IAMAT i +401213.1-0750015.1+2.79CRSWGS_84/ 5.5\n'), /^AT /)
  assert.match(await exchange(port, 'IAMAT i +4060-07500/ 5.5\n'), /^\? /)
  assert.match(await exchange(port, 'IAMAT i +5.0-8.25 5.5\n'), /^\? /)
})

test('whatever bytes come, cut wherever, each line is answered once or closes the connection', async () => {
  const bytes = fastCheck.array(
    fastCheck.oneof(
      fastCheck.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array).toString('latin1')),
      fastCheck.constantFrom(kiwi, 'WHATSAT kiwi 1 0', 'IAMAT', '\n', '\r\n', ' ', '\0', '? '),
    ),
    { maxLength: 12 },
  )
  await fastCheck.assert(
    fastCheck.asyncProperty(bytes, async (parts) => {
      const client = await LineClient.connect(server.ports.clients)
      for (const part of parts) client.send(part)
      client.end()
      await eventually(() => client.hasEnded, 'the end')
      client.close()
      for (const line of client.text.split('\n').slice(0, -1))
        if (/^[A-Z?]/.test(line)) assert.match(line, /^(\? |AT Clark )/)
    }),
    { numRuns: 200 },
  )
})

test('a client that asks a lot and reads nothing does not make the server hold it all', async () => {
  const client = await LineClient.connect(server.ports.clients)
  client.socket.pause()
  await exchange(server.ports.clients, 'IAMAT place +34.5-118.25 1.5\n')
  const questions = Buffer.from('WHATSAT place 2.5 20\n'.repeat(20_000))
  let sentBytes = 0
  for (let round = 0; round < 20; round++) {
    client.socket.write(questions)
    sentBytes += questions.length
    await new Promise((resolve) => setImmediate(resolve))
  }
  await eventually(() => client.socket.writableLength > 0, 'the server to stop reading')

  assert.ok(client.socket.writableLength > sentBytes / 4, 'most of it was never taken')
  client.close()
  assert.match(await exchange(server.ports.clients, 'hello\n'), /^\? hello\n$/)
})
