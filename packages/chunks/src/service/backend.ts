import { type Clock, createHttpServer, type Log } from '@drover/kernel'
import { fault } from '../errors.ts'
import { segmentBytes, wordBytesMax } from '../options.ts'
import { BufferPool } from './buffer-pool.ts'
import { readBody } from './read-body.ts'
import { doTask } from './tasks/tasks.ts'

/** What a backend is given. */
export interface BackendOptions {
  readonly host: string
  readonly port: number
  readonly clock: Clock
  readonly log: Log
  /** Tasks at one time; a backend that has as many answers 503, and another is asked. */
  readonly tasksMax: number
}

/** The largest task, in bytes: a word list or a piece that does not end within a segment. */
const taskBytesMax = 160 * 2 ** 20

/** Room for what stands before a task's bytes. */
const taskHeadBytes = 512 * 1_024

/** Starts a backend: it does tasks, and keeps nothing. */
export async function startBackend(
  options: BackendOptions,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const { host, port, clock, log, tasksMax } = options
  const server = await createHttpServer({
    title: 'Drover chunks backend',
    description: 'Does tasks of chunking',
    log,
    bodyBytesMax: taskBytesMax,
  })
  let running = 0
  server.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null))
  const pool = new BufferPool(segmentBytes + 2 * wordBytesMax + taskHeadBytes, tasksMax)
  server.get('/healthz', () => ({ running }))
  server.post('/tasks', async (request, reply) => {
    if (running >= tasksMax) throw fault('REQUESTS_TOO_MANY', `${running} tasks run already`)
    running++
    try {
      const { whole, bytes } = await readBody(request.raw, pool, taskBytesMax)
      const answer = await doTask(bytes, clock)
      pool.give(whole)
      return reply.type('application/octet-stream').send(answer)
    } finally {
      running--
    }
  })
  const address = await server.listen({ host, port })
  return { port: Number(new URL(address).port), stop: () => server.close() }
}
