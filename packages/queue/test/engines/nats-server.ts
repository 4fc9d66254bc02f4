import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, type ServerProcess, startServer } from './server-process.ts'

/** NATS servers of a test, with folders of their own. */
export interface NatsCluster {
  readonly servers: readonly string[]
  /** Starts server `index`, or starts it again over its data. */
  start(index: number): void
  end(index: number, signal?: NodeJS.Signals): Promise<void>
  /** Ends all and removes their data. */
  close(): Promise<void>
}

/** Writes the configuration of `count` servers that are one cluster; none is started. `more` is added. */
export async function createNatsCluster(count: number, more = ''): Promise<NatsCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-nats-'))
  const ports = await freePorts(count * 2)
  const routes = ports.slice(count).map((port) => `nats://127.0.0.1:${port}`)
  const running = new Map<number, ServerProcess>()
  const config = (index: number) => join(folder, `${index}.conf`)
  for (let index = 0; index < count; index++) {
    const cluster =
      count === 1
        ? ''
        : `cluster { name: drover, listen: "127.0.0.1:${ports[count + index]}", routes: ${JSON.stringify(routes)} }`
    await writeFile(
      config(index),
      `server_name: n${index}
listen: "127.0.0.1:${ports[index]}"
jetstream { store_dir: "${join(folder, String(index))}", max_file_store: 1GB, max_memory_store: 64MB }
${cluster}
${more}
`,
    )
  }
  return {
    servers: ports.slice(0, count).map((port) => `127.0.0.1:${port}`),
    start(index) {
      running.set(index, startServer('nats-server', ['-c', config(index)]))
    },
    async end(index, signal) {
      await running.get(index)?.end(signal)
    },
    async close() {
      await Promise.all([...running.values()].map((server) => server.end('SIGKILL')))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
