import { once } from 'node:events'
import { connect } from 'node:net'
import { createTopology, serveHerd, type Topology } from '@drover/herd'

/**
 * Two servers in this one process: one is told of 100,000 clients, the other starts empty. Prints how
 * long after its start it has all of them. Arguments: four free ports.
 */
const [first = 0, second = 0, third = 0, fourth = 0] = process.argv.slice(2).map(Number)
const clients = 100_000
const plain = createTopology('resync', { A: first, B: second }, [['A', 'B']])
const topology: Topology = {
  ...plain,
  servers: plain.servers.map((server, index) => ({
    ...server,
    peers: { host: '127.0.0.1', port: [third, fourth][index] ?? 0 },
  })),
}
const options = { key: Buffer.from('the key of the benchmark') }
const a = await serveHerd('A', topology, options)
const socket = connect({ port: first, host: '127.0.0.1' })
await once(socket, 'connect')
socket.resume()
for (let client = 0; client < clients; client++)
  socket.write(`IAMAT client${client}.example +34.068930-118.445127 1621464827.959498503\n`)
while (a.node.state.count < clients) await new Promise((resolve) => setTimeout(resolve, 5))

const startMs = performance.now()
const b = await serveHerd('B', topology, options)
while (b.node.state.count < clients) await new Promise((resolve) => setImmediate(resolve))
process.stdout.write(`${JSON.stringify({ clients, ms: performance.now() - startMs })}\n`)
process.exit(0)
