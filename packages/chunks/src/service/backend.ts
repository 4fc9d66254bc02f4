import { type Clock, createHttpServer, type Log } from '@drover/kernel'
import { fault } from '../errors.ts'
import { doTask } from './tasks.ts'

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
  server.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer', bodyLimit: taskBytesMax },
    (_request, body, done) => done(null, body),
  )
  server.get('/healthz', () => ({ running }))
  server.post('/tasks', async (request, reply) => {
    if (running >= tasksMax) throw fault('REQUESTS_TOO_MANY', `${running} tasks run already`)
    running++
    try {
      const answer = await doTask(request.body as Buffer, clock)
      return reply.type('application/octet-stream').send(answer)
    } finally {
      running--
    }
  })
  const address = await server.listen({ host, port })
  return { port: Number(new URL(address).port), stop: () => server.close() }
}
