import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import type { PeerTls } from '../src/flood/tcp-transport.ts'
import { createTopology, serveHerd } from '../src/index.ts'
import { eventually, exchange } from './line-client.ts'
import { onFreePorts } from './processes.ts'

const run = promisify(execFile)
const key = Buffer.from('a key for this test only')
let directory: string

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drover-herd-'))
})
after(() => rm(directory, { recursive: true }))

/** A certificate that is its own authority, made by OpenSSL's program. */
async function makeCertificate(name: string): Promise<PeerTls> {
  const [keyFile, file] = [join(directory, `${name}.key`), join(directory, `${name}.crt`)]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const words = ['req', '-x509', ...kind, '-keyout', keyFile, '-out', file, '-subj', `/CN=${name}`]
  await run('openssl', words)
  const certificate = await readFile(file, 'utf8')
  return { certificate, key: await readFile(keyFile, 'utf8'), authority: certificate }
}

test('servers with certificates of one authority link; one of another is kept out', async () => {
  const ours = await makeCertificate('herd')
  const theirs = await makeCertificate('stranger')
  const topology = await onFreePorts(
    createTopology('three', { A: 1, B: 2, C: 3 }, [
      ['A', 'B'],
      ['A', 'C'],
    ]),
  )
  const a = await serveHerd('A', topology, { key, recordsMax: 100, tls: ours })
  const b = await serveHerd('B', topology, { key, recordsMax: 100, tls: ours })
  const c = await serveHerd('C', topology, { key, recordsMax: 100, tls: theirs })
  await eventually(() => a.node.links.length === 1, 'the link')
  await exchange(a.ports.clients, 'IAMAT kiwi +1+1 1.0\n')

  assert.deepEqual([b.node.state.count, c.node.state.count, c.node.links.length], [1, 0, 0])
  for (const server of [a, b, c]) await server.stop()
})

test('without a certificate nobody gets in', async () => {
  const tls = await makeCertificate('herd')
  const topology = await onFreePorts(createTopology('two', { A: 1, B: 2 }, [['A', 'B']]))
  const a = await serveHerd('A', topology, { key, recordsMax: 100, tls })
  const b = await serveHerd('B', topology, { key, recordsMax: 100, timings: { handshakeMs: 200 } })
  await exchange(a.ports.clients, 'IAMAT kiwi +1+1 1.0\n')
  await exchange(b.ports.clients, 'IAMAT emu +1+1 1.0\n')

  assert.equal(a.node.links.length + b.node.links.length, 0)
  await a.stop()
  await b.stop()
})
