import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ForeignServer, freePorts, runnable } from './foreign-server.ts'

/** Makes a NATS server with JetStream over a folder of its own, not started. */
export async function createNats(): Promise<ForeignServer> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-nats-'))
  const [port = 0] = await freePorts(1)
  const config = join(folder, 'nats.conf')
  writeFileSync(
    config,
    `listen: "127.0.0.1:${port}"
jetstream { store_dir: "${join(folder, 'data')}", max_file_store: 1GB, max_memory_store: 64MB }
authorization { user: ann, password: "p@ss" }
`,
  )
  const server = runnable({
    file: 'nats-server',
    words: ['-c', config],
    answers: () => greets(port),
  })
  return {
    url: `nats://ann:p%40ss@127.0.0.1:${port}`,
    ...server,
    async close() {
      await server.end('SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/** The server speaks first, and names what it can do. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString().includes('"jetstream":true'))
    })
    socket.on('error', () => resolve(false))
  })
}
