import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import { nginxProgram } from './nginx.ts'
import { freePorts } from './ports.ts'
import { nodeProgram, type Program, type Started, startProgram, waitForPort } from './processes.ts'
import { findProgram } from './programs.ts'

/** A reverse proxy that can be measured. */
export interface Door {
  readonly name: string
  /** A program that has to be installed for it. */
  readonly needs?: string
  program(lab: Lab, port: number, upstreams: readonly number[]): Program
}

export interface RunningDoor {
  readonly name: string
  readonly port: number
  readonly process: Started
}

/** Ours comes first; ratios are to nginx of the same run. */
export const doors: readonly Door[] = [
  { name: 'drover', program: nodeDoor('drover-door') },
  {
    name: 'nginx',
    needs: 'nginx',
    program: (lab, port, upstreams) =>
      nginxProgram(lab, 'nginx-door', nginxConfig(port, upstreams)),
  },
  {
    name: 'HAProxy',
    needs: 'haproxy',
    program(lab, port, upstreams) {
      const file = join(lab.directory, 'haproxy.cfg')
      writeFileSync(file, haproxyConfig(port, upstreams))
      return { command: findProgram('haproxy') ?? 'haproxy', args: ['-db', '-f', file] }
    },
  },
  { name: '@fastify/http-proxy', program: nodeDoor('fastify-http-proxy') },
  { name: 'http-proxy-3', program: nodeDoor('http-proxy-3') },
]

/** Starts the doors that can be started here, each pinned to the measured core, and names the others. */
export async function startDoors(
  lab: Lab,
  upstreams: readonly number[],
  chosen: readonly Door[] = doors,
): Promise<RunningDoor[]> {
  const running: RunningDoor[] = []
  for (const door of chosen) {
    if (door.needs !== undefined && findProgram(door.needs) === undefined) {
      lab.print(`${door.name} is not installed and left out`)
      continue
    }
    running.push(await startDoor(lab, door, upstreams))
  }
  return running
}

async function startDoor(lab: Lab, door: Door, upstreams: readonly number[]): Promise<RunningDoor> {
  const [port = 0] = await freePorts(1)
  const program = door.program(lab, port, upstreams)
  const process = await startProgram(lab, { ...program, core: lab.measuredCore })
  await waitForPort(port, process)
  return { name: door.name, port, process }
}

function nodeDoor(file: string): Door['program'] {
  return (_, port, upstreams) => nodeProgram(`peers/${file}.js`, [port, ...upstreams].map(String))
}

/** As an expert would set it: idle connections kept, bodies streamed, usual headers added. */
function nginxConfig(port: number, upstreams: readonly number[]): string {
  return `
  upstream replicas {
    ${upstreams.map((upstream) => `server 127.0.0.1:${upstream};`).join('\n    ')}
    keepalive 64;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    client_max_body_size 0;
    location / {
      proxy_pass http://replicas;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }
  }`
}

function haproxyConfig(port: number, upstreams: readonly number[]): string {
  const servers = upstreams.map((upstream, index) => `  server s${index} 127.0.0.1:${upstream}`)
  return `
global
  nbthread 1
  maxconn 16384
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  option forwardfor
  http-reuse always
frontend door
  bind 127.0.0.1:${port} backlog 4096
  default_backend replicas
backend replicas
  balance roundrobin
${servers.join('\n')}
`
}
