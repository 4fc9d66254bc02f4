import { execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ForeignServer, freePorts, runnable } from './foreign-server.ts'

/** Makes a PostgreSQL on a free port of loopback, not started; as another user when this one is root. */
export async function createPostgres(): Promise<ForeignServer> {
  const programs = execFileSync('pg_config', ['--bindir']).toString().trim()
  const folder = mkdtempSync(join(tmpdir(), 'drover-postgres-'))
  const as = process.getuid?.() === 0 ? idsOf('postgres') : undefined
  if (as) chownSync(folder, as.uid, as.gid)
  const initWords = ['-D', folder, '-A', 'trust', '-U', 'drover']
  execFileSync(join(programs, 'initdb'), initWords, { ...as, stdio: 'ignore' })
  const [port = 0] = await freePorts(1)
  const words = ['-D', folder, '-p', `${port}`, '-k', folder, '-c', 'listen_addresses=127.0.0.1']
  const file = join(programs, 'postgres')
  const server = runnable({ file, words, as, answers: () => isReady(programs, port) })
  return {
    url: `postgres://drover:pg-secret@127.0.0.1:${port}/postgres`,
    ...server,
    async close() {
      await server.end('SIGQUIT')
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/** Makes one and starts it. */
export async function startPostgres(): Promise<ForeignServer> {
  const server = await createPostgres()
  await server.start()
  return server
}

function isReady(programs: string, port: number): boolean {
  try {
    execFileSync(join(programs, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', `${port}`])
    return true
  } catch {
    // It says so by its exit code.
    return false
  }
}

function idsOf(user: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8').match(new RegExp(`^${user}:.*$`, 'm'))?.[0]
  if (!line) throw new Error(`PostgreSQL does not run as root, and there is no user ${user}`)
  const [, , uid, gid] = line.split(':')
  return { uid: Number(uid), gid: Number(gid) }
}
