import { createServer } from 'node:http'
import { join } from 'node:path'
import { randomToken } from '@drover/kernel'
import { freePorts } from '../free-ports.ts'
import { ownCommand } from '../own-command.ts'
import { post } from './calls.ts'
import { type Lab, type LabWish, startLab } from './lab.ts'
import type { Stage } from './stage.ts'

/** What an experiment may say about the pipeline that it measures. */
export type PipelineWish = Pick<LabWish, 'policy' | 'service' | 'workers'>

/** The fetch-pipeline: three API replicas behind the door, a queue, the steps, and a site to fetch. */
export interface Pipeline {
  readonly lab: Lab
  /** Of an account that was made for this. */
  readonly token: string
  /** A site whose every page can be fetched. */
  readonly site: Site
}

interface Site {
  readonly url: URL
  /** How often each path was fetched. */
  readonly fetched: ReadonlyMap<string, number>
  stop(): Promise<void>
}

export const replicaNames = ['Server 1', 'Server 2', 'Server 3'] as const

/** What every report of the pipeline says of it. */
export const pipelineSetup =
  '3 API replicas (drover jobs serve --parts api) behind the front door; a queue of one broker; recorder, publisher, worker and sender in one process more; SQLite as the store'

/** Everything ends at the same time, so that a step may wait in vain for a queue that has ended. */
const stop = { drain: '1s', timeout: '1s' }

/** Starts the pipeline, makes an account and logs in as the course's clients do. */
export async function startPipeline(stage: Stage, wish: PipelineWish): Promise<Pipeline> {
  const folder = await stage.folder()
  const store = join(folder, 'jobs.sqlite')
  const { prepareJobs } = await import('@drover/jobs')
  await prepareJobs({ data: folder, store })
  const [queuePort = 0] = await freePorts(1)
  const site = await stage.open(startSite)
  const serve = ['jobs', 'serve', '--listen', '127.0.0.1:{port}', '--data', folder]
  const common = [...serve, '--store', store, '--queue', `127.0.0.1:${queuePort}`]
  const polite = ['--host-delay', '0', '--allow', site.url.host]
  const steps = ['recorder', 'publisher', 'worker', 'sender']
  const health = { path: '/v1/health', timeout: '10s', fall: 10 }
  const service = {
    command: ownCommand(...common, '--parts', 'api', '--replica-id', '{id}'),
    health: { ...health, failures: 0 },
    stop,
    ...wish.service,
  }
  const others = {
    queue: queueService(join(folder, 'queue'), queuePort),
    steps: {
      command: ownCommand(...common, '--parts', ...steps, ...polite),
      ...{ replicas: 1, health, stop },
    },
  }
  const lab = await startLab(stage, { replicas: replicaNames.length, ...wish, service, others })
  return { lab, token: await login(lab.url), site }
}

/** The manager is the replica, and keeps its broker; a killed one is there again at once. */
function queueService(folder: string, port: number) {
  const words = ['queue', 'serve', '--listen', '127.0.0.1:{port}', '--tcp', `127.0.0.1:${port}`]
  return {
    command: ownCommand(...words, '--data', folder),
    replicas: 1,
    restart: 'stop-first',
    stop,
    health: { path: '/v1/topics', timeout: '10s', fall: 10 },
  }
}

async function login(url: URL): Promise<string> {
  const [email, password] = ['ann@example.org', randomToken()]
  await post(new URL('/users/', url), JSON.stringify({ email, password }))
  const form = new URLSearchParams({ username: email, password })
  const { access_token: token } = await post<{ access_token: string }>(new URL('/token', url), form)
  return token
}

/** Serves a small page for each path, in this process. */
async function startSite(): Promise<Site> {
  const fetched = new Map<string, number>()
  const server = createServer(({ url = '/' }, response) => {
    if (url === '/robots.txt') {
      response.writeHead(404).end()
      return
    }
    fetched.set(url, (fetched.get(url) ?? 0) + 1)
    const type = { 'content-type': 'text/html; charset=utf-8' }
    response.writeHead(200, type).end(`<!doctype html><title>${url}</title><p>This is ${url}.`)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    fetched,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
