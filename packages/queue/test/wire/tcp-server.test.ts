import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, describe, it } from 'node:test'
import { createManualClock, parseAddress, silentLog, systemClock } from '@drover/kernel'
import { fault } from '../../src/errors.ts'
import { FrameReader, frameHead, frameKinds } from '../../src/wire/frames.ts'
import type { Handler } from '../../src/wire/link.ts'
import { createTcpLink } from '../../src/wire/tcp-link.ts'
import { listenTcp, type TcpServer, type TcpServerOptions } from '../../src/wire/tcp-server.ts'

const frameBytesMax = 100_000
const servers: TcpServer[] = []
after(() => Promise.all(servers.map((server) => server.close())))

const echo: Handler = async (method, params, bytes) => ({
  result: { method, params },
  parts: [Buffer.from(bytes)],
})

async function listen(handler: Handler, options: Partial<TcpServerOptions> = {}) {
  const base = { handler, clock: systemClock, log: silentLog, frameBytesMax }
  const server = await listenTcp({ host: '127.0.0.1', port: 0 }, { ...base, ...options })
  servers.push(server)
  return server.address
}

async function open(address: string): Promise<Socket> {
  const socket = connect(parseAddress(address))
  await once(socket, 'connect')
  return socket.on('error', () => {})
}

/** All frames that come until the other side closes. */
async function framesOf(socket: Socket) {
  const found: { number: number; json: unknown }[] = []
  const reader = new FrameReader(1_000_000, ({ number, json }) => found.push({ number, json }))
  socket.on('data', (chunk) => reader.push(chunk))
  await once(socket, 'close')
  return found
}

const codeOf = (frame: { json: unknown } | undefined) => (frame?.json as { code?: string })?.code

describe('TCP server', () => {
  it('closes after a fault when what comes is no frame, and serves the others', async () => {
    let calls = 0
    const address = await listen(async (...call) => {
      calls++
      return echo(...call)
    })
    const giant = Buffer.alloc(16)
    giant.writeUInt32LE(0xffff_fff0, 0)
    const garbage = [
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      giant,
      Buffer.alloc(64),
      Buffer.alloc(5_000, 0xff),
      frameHead(frameKinds.answer, 1, null, []),
    ]
    for (const bytes of garbage) {
      const socket = await open(address)
      socket.write(bytes)
      const [farewell] = await framesOf(socket)
      assert.equal(farewell?.number, 0)
      assert.equal(codeOf(farewell), 'FRAME_INVALID')
    }
    assert.equal(calls, 0)
    const link = createTcpLink(address, systemClock)
    assert.deepEqual((await link.call('a', { b: 1 })).result, { method: 'a', params: { b: 1 } })
    await link.close()
  })

  it('answers a request that is none with a fault, and keeps the connection', async () => {
    const address = await listen(echo)
    const socket = await open(address)
    const found: (string | undefined)[] = []
    const reader = new FrameReader(1e6, (frame) => found.push(codeOf(frame)))
    socket.on('data', (chunk) => reader.push(chunk))
    for (const [number, json] of [null, 'x', [], [1, {}], ['m'], ['m', null]].entries())
      socket.write(frameHead(frameKinds.request, number, json, []))
    while (found.length < 6) await once(socket, 'data')
    assert.deepEqual(new Set(found), new Set(['FRAME_INVALID']))
    socket.destroy()
  })

  it('ends a connection whose frame does not become whole, however it drips', async () => {
    const clock = createManualClock()
    const address = await listen(echo, { clock })
    const socket = await open(address)
    const frames = framesOf(socket)
    const whole = frameHead(frameKinds.request, 1, ['m', { text: 'x'.repeat(500) }], [])
    for (const byte of whole.subarray(0, 9)) {
      socket.write(Buffer.from([byte]))
      await new Promise((resolve) => setTimeout(resolve, 2))
      await clock.advance(5_000)
    }
    // The farewell waits for its reader by the same clock.
    const ended = await Promise.race([frames, tick(clock)])
    assert.equal(codeOf(ended?.[0]), 'FRAME_INVALID')
  })

  it('keeps a slow connection whose frames do become whole', async () => {
    const clock = createManualClock()
    const address = await listen(echo, { clock })
    const link = createTcpLink(address, systemClock)
    for (let turn = 0; turn < 20; turn++) {
      await link.call('m', {})
      await clock.advance(5_000)
    }
    await link.close()
  })

  it('refuses connections beyond the limit, says why, and takes new ones later', async () => {
    const address = await listen(echo, { connectionsMax: 3 })
    const held = await Promise.all([1, 2, 3].map(() => open(address)))
    const link = createTcpLink(address, systemClock)
    await assert.rejects(link.call('m', {}), { code: 'BROKER_BUSY', retry: 'later' })
    const many = await Promise.all(Array.from({ length: 300 }, () => open(address).catch(() => {})))
    held[0]?.destroy()
    for (const socket of many) socket?.destroy()
    for (;;) {
      const answered = await link.call('m', {}).catch(() => undefined)
      if (answered) break
    }
    await link.close()
    for (const socket of held) socket.destroy()
  })

  it('cuts off those who ask for much and read nothing, and serves the others', async () => {
    // As a disk does, it answers one after the other.
    let turns: Promise<unknown> = Promise.resolve()
    const address = await listen(async (_method, _params, _bytes, signal) => {
      turns = turns.then(() => new Promise((resolve) => setImmediate(resolve)))
      await turns
      signal.throwIfAborted()
      return { result: null, parts: [Buffer.alloc(1_000_000, 'x')] }
    })
    const asks = Array.from({ length: 1_000 }, (_, number) =>
      frameHead(frameKinds.request, number, ['fetch', {}], []),
    )
    const before = process.memoryUsage().rss
    const greedy = await Promise.all(Array.from({ length: 12 }, () => open(address)))
    for (const socket of greedy) socket.pause().write(Buffer.concat(asks))
    // A socket that is not read learns by writing that it was closed.
    while (!greedy.some(({ destroyed }) => destroyed)) {
      for (const socket of greedy) socket.write(asks[0] ?? '')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const grown = process.memoryUsage().rss - before
    assert.ok(grown < 800_000_000, `${grown} bytes more, of 12,000,000,000 that were asked for`)
    const link = createTcpLink(address, systemClock)
    assert.equal((await link.call('m', {})).bytes.length, 1_000_000)
    await link.close()
    for (const socket of greedy) socket.destroy()
  })

  it('gives up what was asked for by a connection that is gone', async () => {
    const started = Promise.withResolvers<AbortSignal>()
    const address = await listen((_method, _params, _bytes, signal) => {
      started.resolve(signal)
      return new Promise(() => {})
    })
    const socket = await open(address)
    socket.write(frameHead(frameKinds.request, 1, ['wait', {}], []))
    const signal = await started.promise
    socket.destroy()
    if (!signal.aborted) await once(signal, 'abort')
  })

  it('tells the client why its connection was closed', async () => {
    const address = await listen(echo)
    const link = createTcpLink(address, systemClock)
    const tooLarge = link.call('produce', {}, [Buffer.alloc(frameBytesMax + 1)])
    await assert.rejects(tooLarge, { code: 'FRAME_INVALID', retry: 'never' })
    assert.deepEqual((await link.call('m', {})).result, { method: 'm', params: {} })
    await link.close()
  })

  it('says so when the address is taken', async () => {
    const address = await listen(echo)
    const again = listenTcp(parseAddress(address), {
      ...{ handler: echo, clock: systemClock, log: silentLog, frameBytesMax },
    })
    await assert.rejects(again, { code: 'ADDRESS_TAKEN' })
  })

  it('passes faults through as they are, and hides what is none', async () => {
    const address = await listen(async (method) => {
      if (method === 'fault') throw fault('DISK_FULL', 'no room')
      throw new TypeError('a secret')
    })
    const link = createTcpLink(address, systemClock)
    await assert.rejects(link.call('fault', {}), { code: 'DISK_FULL', status: 507 })
    await assert.rejects(link.call('bug', {}), (error: Error) => {
      assert.ok(!error.message.includes('secret'))
      return true
    })
    await link.close()
  })
})

/** Moves the clock on until the test ends by itself. */
async function tick(clock: ReturnType<typeof createManualClock>): Promise<undefined> {
  for (let turn = 0; turn < 1_000; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    await clock.advance(500)
  }
  return undefined
}
