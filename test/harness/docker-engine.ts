import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { root } from './project.ts'

/** A Docker engine of a test's own, with the image of the sample server. */
export interface DockerEngine {
  /** What programs find it by. */
  readonly env: Record<string, string>
  /** Runs the `docker` command on it, as a person would; resolves to what it printed. */
  docker(...words: string[]): Promise<string>
  stop(): Promise<void>
}

const run = promisify(execFile)

/** Starts an engine that ends with this process at the latest, and builds the image there. */
export async function startDockerEngine(): Promise<DockerEngine> {
  const child = spawn(process.execPath, [join(root, 'scripts', 'docker-engine.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    ended.then(() => {
      throw new Error('there is no Docker engine')
    }),
  ])) as [string]
  const { socket } = JSON.parse(line) as { socket: string }
  const env = { DOCKER_HOST: `unix://${socket}` }
  const inherited = { ...process.env, ...env }
  const build = join(root, 'examples', 'customizable-load-balancer', 'build-image.mjs')
  await run(process.execPath, [build], { env: inherited })
  return {
    env,
    docker: async (...words) => (await run('docker', words, { env: inherited })).stdout.trim(),
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
