import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** A foreign server of a test, ended by its process id. */
export interface ServerProcess {
  readonly child: ChildProcess
  /** What it has said, for the message of a failing test. */
  output(): string
  /** Ends it with `signal` and resolves when it is gone; kills it after 15 s. */
  end(signal?: NodeJS.Signals): Promise<void>
}

export function startServer(
  program: string,
  words: readonly string[],
  env: Record<string, string> = {},
): ServerProcess {
  const child = spawn(program, words, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-20_000)
    })
  const ended = once(child, 'exit').catch((error: unknown) => {
    said += `${program} did not start: ${error}`
  })
  return {
    child,
    output: () => said,
    async end(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await ended
      clearTimeout(late)
    },
  }
}

/** Returns ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Returns what `probe` resolves to without throwing, or throws its last error after `deadlineMs`. */
export async function eventually<Value>(
  probe: () => Promise<Value>,
  deadlineMs = 60_000,
): Promise<Value> {
  const endsMs = performance.now() + deadlineMs
  for (;;) {
    try {
      return await probe()
    } catch (error) {
      if (performance.now() > endsMs) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
