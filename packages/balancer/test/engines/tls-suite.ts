import assert from 'node:assert/strict'
import { connect as connectHttp2 } from 'node:http2'
import { test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import type { TlsPlan } from '../../src/plan.ts'
import { makeCertificate } from '../make-certificate.ts'
import { until } from '../until.ts'
import { planOf } from './plans.ts'
import { type EngineSubject, plansOf, replicas, run } from './running.ts'

function tlsOf(...names: readonly string[][]): TlsPlan {
  const certificates = names.map((list) => ({ names: list, ...makeCertificate(list) }))
  return { certificates, http2: true }
}

/** Connects as a client that wants `servername`, and trusts anybody. */
function open(port: number, servername: string, protocols: string[] = []): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername,
      ALPNProtocols: protocols,
      rejectUnauthorized: false,
    })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
  })
}

async function nameOf(port: number, servername: string): Promise<string> {
  const socket = await open(port, servername)
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return String(subject.CN)
}

/** TLS to the clients. */
export function tlsSuite(subject: EngineSubject): void {
  test('shows the certificate of the name that is asked for, else the first', async (t) => {
    const list = await replicas(t, 'a')
    const tls = tlsOf(['one.test'], ['two.test', '*.two.test'])
    const { port } = await run(t, subject, planOf(plansOf(list), {}, { tls }))

    assert.equal(await nameOf(port, 'one.test'), 'one.test')
    assert.equal(await nameOf(port, 'two.test'), 'two.test')
    assert.equal(await nameOf(port, 'sub.two.test'), 'two.test')
    assert.equal(await nameOf(port, 'other.test'), 'one.test')
  })

  test('serves HTTP/1.1 over TLS, and tells the replica so', async (t) => {
    const list = await replicas(t, 'a')
    const { port } = await run(t, subject, planOf(plansOf(list), {}, { tls: tlsOf(['one.test']) }))
    const socket = await open(port, 'one.test')
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })

    socket.write('GET / HTTP/1.1\r\nhost: one.test\r\nconnection: close\r\n\r\n')

    await until('the answer', () => text.includes('"bodyBytes"'))
    assert.match(text, /^HTTP\/1\.1 200 /)
    assert.match(text, /"x-forwarded-proto":"https"/)
    socket.destroy()
  })

  test('serves HTTP/2, many requests on one connection', async (t) => {
    const list = await replicas(t, 'a', 'b')
    const { port } = await run(t, subject, planOf(plansOf(list), {}, { tls: tlsOf(['one.test']) }))
    const session = connectHttp2(`https://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
      servername: 'one.test',
    })
    t.after(() => session.destroy())
    const ask = (body: string) =>
      new Promise<string>((resolve, reject) => {
        const stream = session.request({
          ':path': '/x',
          ':method': 'POST',
          ':authority': 'one.test',
        })
        let text = ''
        stream.on('data', (chunk) => {
          text += chunk.toString()
        })
        stream.once('end', () => resolve(text))
        stream.once('error', reject)
        stream.end(body)
      })

    const answers = await Promise.all(['', 'a', 'bb', 'ccc', 'dddd'].map(ask))

    const parsed = answers.map((text) => JSON.parse(text))
    assert.deepEqual(
      parsed.map(({ bodyBytes }) => bodyBytes),
      [0, 1, 2, 3, 4],
    )
    assert.equal(parsed[0]?.headers.host, 'one.test')
    assert.deepEqual([...new Set(parsed.map(({ name }) => name))].sort(), ['a', 'b'])
  })

  test('takes up a new certificate', async (t) => {
    const list = await replicas(t, 'a')
    const planWith = (name: string) => planOf(plansOf(list), {}, { tls: tlsOf([name]) })
    const { engine, port } = await run(t, subject, planWith('before.test'))
    assert.equal(await nameOf(port, 'any.test'), 'before.test')

    await engine.apply(planWith('after.test'))

    assert.equal(await nameOf(port, 'any.test'), 'after.test')
  })
}
