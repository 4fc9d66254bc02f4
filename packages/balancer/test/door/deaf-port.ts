import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { until } from '../until.ts'

/** Listens with the shortest queue there is, and never again does a thing. */
const deaf = `
  const { parentPort } = require('node:worker_threads')
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })
`

/** Returns a port on which connections are neither made nor refused: its queue is full for good. */
export async function openDeafPort(t: TestContext): Promise<number> {
  const worker = new Worker(deaf, { eval: true })
  const port = await new Promise<number>((resolve) => worker.once('message', resolve))
  const filling: Socket[] = Array.from({ length: 4 }, () => connect(port, '127.0.0.1'))
  t.after(async () => {
    for (const socket of filling) socket.destroy()
    await worker.terminate()
  })
  for (const socket of filling) socket.on('error', () => {})
  await until('a full queue', () => filling.filter(({ connecting }) => !connecting).length >= 2)
  return port
}
