import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { dashboardFolder } from '@drover/dashboard'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** One file of the page, ready to be sent. */
interface PageFile {
  readonly bytes: Buffer
  readonly type: string
  /** Names with a hash in them never change what they hold. */
  readonly cache: string
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
}

/** The page talks to this origin only, and nobody may put it into a frame. */
const headers = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/**
 * Mounts the page: the files of its folder by their names, index.html as `/`. They hold nothing of
 * this instance, and are open to who has no token yet: the page asks for it.
 */
export function mountDashboard(server: FastifyInstance, folder = dashboardFolder): void {
  let files: Promise<ReadonlyMap<string, PageFile>> | undefined
  const find = async (path: string) => {
    files ??= readFolder(folder)
    return (await files).get(path)
  }
  const schema = { hide: true }
  server.get('/', { schema }, async (_, reply) => send(reply, await find('index.html')))
  server.get<{ Params: { '*': string } }>('/assets/*', { schema }, async ({ params }, reply) =>
    send(reply, await find(`assets/${params['*']}`)),
  )
  server.get('/drover.svg', { schema }, async (_, reply) => send(reply, await find('drover.svg')))
}

/** Holds for the paths of the page, which need no token. */
export function isPage(path: string): boolean {
  return path === '/' || path === '/drover.svg' || path.startsWith('/assets/')
}

function send(reply: FastifyReply, file: PageFile | undefined): unknown {
  if (!file) return reply.callNotFound()
  return reply
    .headers({ ...headers, 'cache-control': file.cache })
    .type(file.type)
    .send(file.bytes)
}

/** Reads all of it: some hundred KiB, for as long as somebody looks at the page. */
async function readFolder(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile())
  return new Map(
    await Promise.all(
      files.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name)
        const key = relative(folder, path).split(sep).join('/')
        const cache = key.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
        const type = types[extname(name)] ?? 'application/octet-stream'
        return [key, { bytes: await readFile(path), type, cache }] as const
      }),
    ),
  )
}
