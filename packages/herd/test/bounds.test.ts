import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastCheck from 'fast-check'
import { createTopology, serveHerd } from '../src/index.ts'
import { KeptBytes } from '../src/protocol/kept-bytes.ts'
import { LineReader } from '../src/protocol/line-reader.ts'
import { eventually, exchange, LineClient } from './line-client.ts'

const key = Buffer.from('a key for this test only')

test('many half-sent lines together are bounded: one more is refused, short ones never', async () => {
  const topology = createTopology('alone', { Clark: 0 }, [])
  const http = { host: '127.0.0.1', port: 0 }
  const server = await serveHerd('Clark', topology, {
    key,
    http,
    recordsMax: 1_000,
    keptBytesMax: 300_000,
  })
  const port = server.ports.clients
  const holders: LineClient[] = []
  const half = 'h'.repeat(60_000)
  for (let holder = 0; holder < 4; holder++) {
    const client = await LineClient.connect(port)
    client.send(half)
    holders.push(client)
  }
  await eventually(async () => (await keptBytes(server.ports.http)) >= 240_000, 'four halves')

  const refused = await LineClient.connect(port)
  refused.send(half)
  await eventually(() => refused.hasEnded, 'the refusal')
  assert.equal(refused.text, `? ${half.slice(0, 1_024)}\n`)
  const short = await LineClient.connect(port)
  short.send('IAMAT kiwi ')
  short.send('+1+1 1.0\n')
  assert.match((await short.lines(1))[0] ?? '', /^AT Clark /)
  // A whole line of any length needs no room of the others'.
  assert.equal(await exchange(port, `${half}\n`), `? ${half}\n`)

  for (const holder of holders.slice(0, 2)) holder.send('\n')
  for (const holder of holders.slice(2)) holder.close()
  await eventually(async () => (await keptBytes(server.ports.http)) < 2_000, 'all to be given back')
  for (const client of [...holders, refused, short]) client.close()
  await server.stop()
})

test('clients that read nothing are dropped, those furthest behind first, and others are not', async () => {
  const topology = createTopology('alone', { Clark: 0 }, [])
  const options = { key, recordsMax: 1_000, unreadBytesMax: 500_000 }
  const server = await serveHerd('Clark', topology, options)
  const reader = await LineClient.connect(server.ports.clients)
  const lazy = await LineClient.connect(server.ports.clients)
  lazy.socket.pause()
  // More than the system keeps for a connection: the rest stays with the server.
  const nonsense = Buffer.from(`${'n'.repeat(1_000)}\n`.repeat(20_000))
  lazy.socket.on('close', () => {
    lazy.hasEnded = true
  })
  lazy.socket.write(nonsense)
  await eventually(() => lazy.hasEnded, 'the lazy one to be dropped')

  reader.send('hello\n')
  assert.deepEqual(await reader.lines(1), ['? hello'])
  reader.close()
  await server.stop()
})

async function keptBytes(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Number(/^drover_herd_kept_bytes (\d+)$/m.exec(text)?.[1])
}

test('readers cut lines alike with any budget, or break; and give everything back', () => {
  const pieces = fastCheck.array(
    fastCheck.oneof(
      fastCheck.constantFrom('\n', '\r\n', 'ab', 'x'.repeat(700), 'y'.repeat(3_000), '\0'),
      fastCheck.string({ maxLength: 5 }),
    ),
    { maxLength: 30 },
  )
  fastCheck.assert(
    fastCheck.property(pieces, fastCheck.constantFrom(0, 2_000, 100_000), (parts, bytesMax) => {
      const read = (budget: KeptBytes) => {
        const told: string[] = []
        let isBroken = false
        const text = (bytes: Uint8Array, start: number, end: number) =>
          Buffer.from(bytes.subarray(start, end)).toString('latin1')
        const reader = new LineReader(
          {
            line: (bytes, start, end) => told.push(text(bytes, start, end)) > 0,
            broken: () => {
              isBroken = true
            },
          },
          budget,
        )
        for (const part of parts) reader.push(Buffer.from(part, 'latin1'))
        const keptBytes = budget.bytes
        reader.close()
        return { told, isBroken, keptBytes }
      }
      const budget = new KeptBytes(bytesMax)
      const bounded = read(budget)
      const free = read(new KeptBytes(Number.POSITIVE_INFINITY))

      assert.deepEqual(bounded.told, free.told.slice(0, bounded.told.length))
      if (!bounded.isBroken) assert.deepEqual(bounded, free)
      assert.ok(bounded.keptBytes <= bytesMax + 1_024)
      assert.equal(budget.bytes, 0)
    }),
    { numRuns: 500 },
  )
})
