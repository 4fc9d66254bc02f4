import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'

/**
 * Sends updates to one server of a herd at an even rate, watches a fence around the globe at every
 * server, and prints how long after the answer the last server had each update. Arguments: the
 * clients' port, updates a second, seconds, the HTTP ports of all servers.
 */
const [port = 0, rate = 1_000, seconds = 5, ...httpPorts] = process.argv.slice(2).map(Number)
const connections = 20
const total = rate * seconds
const answeredMs = new Float64Array(total)
const lastMs = new Float64Array(total)
const seen = new Uint8Array(total)

async function watch(httpPort: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${httpPort}/v1/live`)
  await once(socket, 'open')
  socket.on('message', (data) => {
    const nowMs = performance.now()
    const [, forRate, told] = /"client":"f(\d+)\.(\d+)"/.exec(String(data)) ?? []
    if (told === undefined || Number(forRate) !== rate) return
    const number = Number(told)
    seen[number] = (seen[number] as number) + 1
    lastMs[number] = nowMs
  })
  const globe = { south: -90, north: 90, west: -180, east: 180 }
  socket.send(JSON.stringify({ watch: 'globe', box: globe }))
  await once(socket, 'message')
  return socket
}

async function open(): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  socket.on('data', (bytes: Buffer) => {
    const nowMs = performance.now()
    for (const [, number] of bytes.toString('latin1').matchAll(/ f\d+\.(\d+) /g))
      answeredMs[Number(number)] = nowMs
  })
  return socket
}

const watchers = await Promise.all(httpPorts.map(watch))
const sockets = await Promise.all(Array.from({ length: connections }, open))
const startMs = performance.now()
let sent = 0
while (sent < total) {
  const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1_000) * rate))
  for (; sent < due; sent++) {
    const line = `IAMAT f${rate}.${sent} +34.068930-118.445127 1621464827.959498503\n`
    sockets[sent % connections]?.write(line, 'latin1')
  }
  await new Promise((resolve) => setTimeout(resolve, 1))
}
for (const untilMs = performance.now() + 5_000; performance.now() < untilMs; ) {
  if (seen.every((count) => count === httpPorts.length)) break
  await new Promise((resolve) => setTimeout(resolve, 20))
}
const everywhere = seen.filter((count) => count === httpPorts.length).length
const behindMs = lastMs.map((last, number) => Math.max(0, last - (answeredMs[number] as number)))
behindMs.sort()
const quantile = (share: number): number => behindMs[Math.floor((total - 1) * share)] as number
process.stdout.write(
  `${JSON.stringify({ total, everywhere, p50Ms: quantile(0.5), p99Ms: quantile(0.99) })}\n`,
)
for (const watcher of watchers) watcher.terminate()
process.exit(0)
