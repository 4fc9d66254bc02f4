import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../until.ts'

/** A PostgreSQL of a test's own, in a folder of its own. */
export interface PostgresServer {
  readonly url: string
  stop(): Promise<void>
}

/** Starts PostgreSQL on a free port of loopback; as another user when this one is root. */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = execFileSync('pg_config', ['--bindir']).toString().trim()
  const folder = mkdtempSync(join(tmpdir(), 'drover-postgres-'))
  const as = process.getuid?.() === 0 ? idsOf('postgres') : undefined
  if (as) chownSync(folder, as.uid, as.gid)
  const initWords = ['-D', folder, '-A', 'trust', '-U', 'drover']
  execFileSync(join(programs, 'initdb'), initWords, { ...as, stdio: 'ignore' })
  const port = await freePort()
  const words = ['-D', folder, '-p', `${port}`, '-k', folder, '-c', 'listen_addresses=127.0.0.1']
  const child = spawn(join(programs, 'postgres'), words, { ...as, stdio: 'ignore' })
  await until('the start of PostgreSQL', () => {
    if (child.exitCode !== null) throw new Error('PostgreSQL ended at its start')
    return isReady(programs, port)
  })
  return {
    url: `postgres://drover@127.0.0.1:${port}/postgres`,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGQUIT')
      await ended
      rmSync(folder, { recursive: true })
    },
  }
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
