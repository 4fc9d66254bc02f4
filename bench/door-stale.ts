import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim } from './lab/claim.ts'
import { Client, type Ending } from './lab/client.ts'
import { startConfigured } from './lab/drover.ts'
import type { Lab } from './lab/lab.ts'
import { nginxProgram } from './lab/nginx.ts'
import { freePorts } from './lab/ports.ts'
import { nodeProgram, startProgram, waitForPort } from './lab/processes.ts'
import { findProgram } from './lab/programs.ts'
import { tableLines } from './lab/table.ts'

const replicas = 50
const requestsEach = 20
/** Requests come this far from a second after the last, to either side: into the race itself. */
const spreadMs = 15

/** Replicas that close idle connections just as the next request comes. */
export const doorStale: Claim = {
  name: 'door-stale',
  about: 'replicas that close connections after 1 s, a request every second, 1,000 times: errors',
  async run(lab) {
    const ports = await freePorts(replicas)
    const stale = await startProgram(lab, nodeProgram('peers/stale-replicas.js', ports.map(String)))
    for (const port of ports) await waitForPort(port, stale)

    const rows = [await row(lab, 'drover', await startOurs(lab, ports))]
    if (findProgram('nginx') !== undefined)
      rows.push(await row(lab, 'nginx', await startNginx(lab, ports)))

    lab.print(
      `${replicas} replicas that close a connection 1,000 ms after its last answer (every second one`,
    )
    lab.print(
      `says so in Keep-Alive), each asked ${requestsEach} times, every 1,000 ± ${spreadMs} ms`,
    )
    lab.print()
    for (const line of tableLines([['door', 'requests', 'errors', ''], ...rows])) lab.print(line)
    lab.print()
    lab.print('goal: 0 errors')
  },
}

/** Each replica is a service of its own, so that every request meets the same idle connection. */
async function startOurs(lab: Lab, ports: readonly number[]): Promise<number> {
  const [port = 0] = await freePorts(1)
  const numbered = ports.map((replica, index) => [`s${index}`, replica] as const)
  await startConfigured(lab, port, {
    services: Object.fromEntries(
      numbered.map(([name, replica]) => [
        name,
        { addresses: [`127.0.0.1:${replica}`], health: { check: 'tcp' } },
      ]),
    ),
    listeners: [
      {
        address: `127.0.0.1:${port}`,
        routes: numbered.map(([name]) => ({ path: `/${name}`, service: name })),
      },
    ],
    admin: { address: 'off' },
  })
  return port
}

async function startNginx(lab: Lab, ports: readonly number[]): Promise<number> {
  const [port = 0] = await freePorts(1)
  const upstreams = ports.map(
    (replica, index) => `  upstream s${index} { server 127.0.0.1:${replica}; keepalive 4; }`,
  )
  const locations = ports.map(
    (_, index) =>
      `    location /s${index} { proxy_pass http://s${index}; proxy_http_version 1.1; proxy_set_header Connection ""; }`,
  )
  const servers = `${upstreams.join('\n')}
  server {
    listen 127.0.0.1:${port};
${locations.join('\n')}
  }`
  const nginx = await startProgram(lab, nginxProgram(lab, 'stale', servers))
  await waitForPort(port, nginx)
  return port
}

/** Asks all replicas side by side, each in its own rhythm, and counts how requests end. */
async function row(lab: Lab, name: string, port: number): Promise<string[]> {
  const endings = new Map<string, number>()
  let asked = 0
  const count = (ending: Ending): void => {
    const key = ending.kind === 'answered' ? `${ending.answer.status}` : ending.reason
    endings.set(key, (endings.get(key) ?? 0) + 1)
  }
  const asking = Array.from({ length: replicas }, async (_, replica) => {
    for (let request = 0; request < requestsEach; request++) {
      count(await ask(port, `/s${replica}`))
      lab.progress(`${name}: ${++asked} of ${replicas * requestsEach}`)
      await sleep(1_000 + (Math.random() * 2 - 1) * spreadMs)
    }
  })
  await Promise.all(asking)
  const errors = [...endings].filter(([kind]) => kind !== '200')
  return [
    name,
    `${asked}`,
    `${errors.reduce((sum, [, times]) => sum + times, 0)}`,
    errors.map(([kind, times]) => `${times} × ${kind}`).join(', '),
  ]
}

/** One request over a client connection of its own: only the door's connections are to grow old. */
function ask(port: number, path: string): Promise<Ending> {
  return new Promise((resolve) => {
    const client = new Client(
      {
        host: '127.0.0.1',
        port,
        method: 'GET',
        request: Buffer.from(
          `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
        ),
        bodyBytes: 0,
        keepBody: false,
      },
      (done, ending) => {
        done.close()
        resolve(ending)
      },
    )
    client.send(performance.now())
  })
}
