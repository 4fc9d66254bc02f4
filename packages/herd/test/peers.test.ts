import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fastCheck from 'fast-check'
import { ByteWriter } from '../src/flood/byte-writer.ts'
import { Handshake, type Identity } from '../src/flood/handshake.ts'
import { createTopology, type HerdOptions, serveHerd, type Topology } from '../src/index.ts'
import { eventually, exchange, LineClient } from './line-client.ts'
import { freePorts, onFreePorts } from './processes.ts'

const key = Buffer.from('the right key of the herd')

async function pair(options: Partial<HerdOptions> = {}, otherKey: Uint8Array = key) {
  const topology = await onFreePorts(createTopology('two', { A: 1, B: 2 }, [['A', 'B']]))
  const small = { key, recordsMax: 10_000, ...options }
  const a = await serveHerd('A', topology, small)
  const b = await serveHerd('B', topology, { ...small, key: otherKey })
  return { a, b, topology, stop: () => Promise.all([a.stop(), b.stop()]) }
}

/** Sends bytes to a port and resolves with what came back when the other end closes. */
async function throwAt(port: number, bytes: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = []
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return Buffer.concat(chunks)
}

function framed(body: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}

test('two servers of one key link, and two of different keys never do', async () => {
  const friends = await pair()
  const strangers = await pair({}, Buffer.from('a wrong key of a stranger'))
  await eventually(() => friends.a.node.links.length === 1, 'the link')
  const said = await exchange(strangers.a.ports.clients, 'IAMAT secret +1+1 1.0\n')

  assert.match(said, /^AT A /)
  assert.equal(strangers.a.node.links.length + strangers.b.node.links.length, 0)
  assert.equal(
    await exchange(strangers.b.ports.clients, 'WHATSAT secret 1 0\n'),
    '? WHATSAT secret 1 0\n',
  )
  await friends.stop()
  await strangers.stop()
})

test('whatever a stranger sends to the port of peers, it is closed, logged, and changes nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'drover-herd-'))
  const topology = await onFreePorts(createTopology('one', { A: 1 }, []))
  const server = await serveHerd('A', topology, { key, recordsMax: 100, logDirectory: directory })
  const port = server.ports.peers
  const update = new ByteWriter().u8(5).f64(1).f64(0).u16(1).text('X').f64(1).u16(0).written
  const attacks = [
    Buffer.from('IAMAT kiwi +34.0-118.4 1.0\n'),
    Buffer.from('AT A +0.1 kiwi +34.0-118.4 1.0\n'),
    Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
    Buffer.from([0, 0, 0, 0]),
    framed(update),
    framed(Buffer.from([1])),
    framed(Buffer.alloc(900, 1)),
  ]
  for (const attack of attacks) await throwAt(port, attack)
  await fastCheck.assert(
    fastCheck.asyncProperty(
      fastCheck.uint8Array({ minLength: 1, maxLength: 200 }),
      async (body) => {
        await throwAt(port, framed(body))
      },
    ),
    { numRuns: 50 },
  )

  assert.equal(server.node.state.count, 0)
  assert.equal(server.node.links.length, 0)
  assert.match(await exchange(server.ports.clients, 'IAMAT kiwi +34.0-118.4 1.0\n'), /^AT A /)
  await server.stop()
  const log = await readFile(join(directory, 'A.log'), 'utf8')
  assert.ok(log.split('"herd.peer.stranger"').length > attacks.length)
  await rm(directory, { recursive: true })
})

test('connections that say nothing do not keep a neighbour out, and are closed in the end', async () => {
  const topology = await onFreePorts(createTopology('two', { A: 1, B: 2 }, [['A', 'B']]))
  const a = await serveHerd('A', topology, { key, recordsMax: 100 })
  let closed = 0
  for (let number = 0; number < 80; number++) {
    const socket = connect({ port: a.ports.peers, host: '127.0.0.1' })
    socket.on('error', () => {})
    socket.on('close', () => closed++)
    await once(socket, 'connect')
  }
  await eventually(() => closed >= 16, 'the oldest to be closed')
  const b = await serveHerd('B', topology, { key, recordsMax: 100 })

  await eventually(() => a.node.links.length === 1, 'the link')
  await eventually(() => closed === 80, 'all of them to be closed')
  await a.stop()
  await b.stop()
})

test('peer messages to the port of clients are lines like any other', async () => {
  const { a, stop } = await pair()
  const at = 'AT B +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503'
  const hello = Buffer.concat([
    Buffer.from([0, 0, 0, 9, 1]),
    Buffer.from('DRHR'),
    Buffer.from('\n'),
  ])

  assert.equal(await exchange(a.ports.clients, `${at}\n`), `? ${at}\n`)
  const answer = await exchange(a.ports.clients, hello)
  assert.equal(answer, `? ${hello.toString('latin1')}`)
  assert.equal(a.node.state.count, 0)
  await stop()
})

test('a proof cannot be used twice, sent back, or made without the key', () => {
  const identity = (name: string): Identity => ({
    name,
    epoch: 1,
    address: { host: '127.0.0.1', port: 1 },
  })
  const sent: Record<string, Buffer[]> = { dialler: [], acceptor: [] }
  const end = (role: 'dialler' | 'acceptor', name: string, secret: Uint8Array) =>
    new Handshake(role, identity(name), secret, (bytes) => sent[role]?.push(Buffer.from(bytes)))

  const dialler = end('dialler', 'A', key)
  const acceptor = end('acceptor', 'B', key)
  dialler.start()
  const [hello] = sent.dialler as [Buffer]
  acceptor.take(hello)
  const [challenge] = sent.acceptor as [Buffer]
  dialler.take(challenge)
  const proof = sent.dialler?.[1] as Buffer
  const reflected = Buffer.concat([Buffer.of(3), challenge.subarray(-32)])

  const again = end('acceptor', 'B', key)
  again.take(hello)
  assert.equal(again.take(proof).kind, 'refused', 'a proof of another connection')
  const mirror = end('acceptor', 'B', key)
  mirror.take(hello)
  assert.equal(mirror.take(reflected).kind, 'refused', "the acceptor's own proof")
  assert.equal(acceptor.take(proof).kind, 'proved')
  const ignorant = end('dialler', 'C', Buffer.from('some other key'))
  ignorant.start()
  assert.equal(ignorant.take(challenge).kind, 'refused', 'a challenge of another key')
})

test('a neighbour that stops answering delays answers no longer than the deadline', async () => {
  const { a, b, stop } = await pair({ timings: { ackMs: 100, silenceMs: 60_000 } })
  await eventually(() => b.node.links.length === 1, 'the link at B')
  await eventually(() => a.node.links.length === 1, 'the link at A')
  // From now on B handles nothing of what A sends, as a process that hangs.
  const [link] = b.node.links
  assert.ok(link)
  link.take = () => {}
  const client = await LineClient.connect(a.ports.clients)
  client.send('IAMAT kiwi +1+1 1.0\n')
  await client.lines(1)
  assert.equal(a.node.links[0]?.isSlow, true)

  // Each of these would wait for the deadline again, and the test for its own, were B waited for.
  for (let time = 2; time < 200; time++) {
    client.send(`IAMAT kiwi +1+1 ${time}.0\n`)
    await client.lines(time)
  }
  client.close()
  await stop()
})

test('100,000 clients are in step again after a reconnect, and only what differs is sent', async () => {
  // The link must end when the test says so, not because a crowded machine stood still.
  const options = { recordsMax: 200_000, timings: { ackMs: 60_000, silenceMs: 120_000 } }
  const { a, b, topology } = await pair(options)
  await eventually(() => a.node.links.length === 1, 'the link')
  const client = await LineClient.connect(a.ports.clients)
  for (let start = 0; start < 100_000; start += 1_000) {
    let lines = ''
    for (let id = start; id < start + 1_000; id++) lines += `IAMAT c${id} +34.5-118.5 1.0\n`
    client.send(lines)
  }
  await eventually(() => b.node.state.count === 100_000, 'all at B')
  client.close()

  await b.stop()
  const again = await serveHerd('B', topology, { key, ...options })
  await eventually(() => again.node.state.count === 100_000, 'all at B again')
  await eventually(() => a.node.links[0]?.waiting === 0, 'the queue to be empty')
  await eventually(
    () => (again.node.links[0]?.counts.receivedRecords ?? 0) === 100_000,
    'once each',
  )
  const { name, epoch } = a.node.identity
  const isComplete = () => again.node.state.origins.find(name, epoch)?.sequence === 100_000
  await eventually(isComplete, 'A to say that it was all')
  // The link breaks, nobody restarts: nothing is sent again.
  again.node.links[0]?.end('the test cuts it')
  await eventually(() => again.node.links.length === 1, 'the link again')
  await exchange(a.ports.clients, 'IAMAT one-more +1+1 1.0\n')
  await eventually(() => again.node.state.count === 100_001, 'one more')
  // Once by flooding; and once more when the search for what differs was just going on.
  const received = again.node.links[0]?.counts.receivedRecords ?? 0
  assert.ok(received === 1 || received === 2, `${received} records`)
  await a.stop()
  await again.stop()
})

test('a server joins by one seed, gets everything, and leaves', async () => {
  const [client = 0, peers = 0] = await freePorts(2)
  const seed = await onFreePorts(createTopology('grown', { A: 1 }, []))
  const a = await serveHerd('A', seed, { key, recordsMax: 1_000 })
  await exchange(a.ports.clients, 'IAMAT early +1+1 1.0\n')
  const joining: Topology = {
    ...createTopology('grown', { B: client }, []),
    seeds: [{ host: '127.0.0.1', port: a.ports.peers }],
  }
  const [server] = joining.servers
  const b = await serveHerd(
    'B',
    {
      ...joining,
      servers: [
        {
          name: 'B',
          address: server?.address ?? { host: '', port: 0 },
          peers: { host: '127.0.0.1', port: peers },
        },
      ],
    },
    { key, recordsMax: 1_000 },
  )
  await eventually(() => b.node.state.count === 1, 'B to hear what A knew')
  await exchange(b.ports.clients, 'IAMAT late +1+1 1.0\n')
  await eventually(() => a.node.state.count === 2, 'A to hear of B')
  await b.stop()

  await eventually(() => a.node.links.length === 0, 'the link to end')
  assert.deepEqual(
    a.node.membership.present().map(({ name }) => name),
    ['A'],
  )
  await a.stop()
})
