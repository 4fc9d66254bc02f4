import { chmodSync, closeSync, mkdirSync, openSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import { nginxProgram } from './nginx.ts'
import { freePorts } from './ports.ts'
import { nodeProgram, type Started, startProgram, waitForPort } from './processes.ts'
import { findProgram } from './programs.ts'

/** Three servers that all doors of one measurement forward to. */
export interface Upstreams {
  readonly ports: readonly number[]
  readonly process: Started
}

/**
 * Starts three upstreams on the load's core: `/` is a small answer. One nginx serves all three, the
 * cheapest there is; without nginx a node server takes its place.
 */
export async function startUpstreams(lab: Lab): Promise<Upstreams> {
  const ports = await freePorts(3)
  const program = findProgram('nginx')
    ? nginxProgram(lab, 'upstreams', upstreamConfig(ports, bodyFolder(lab)))
    : nodeProgram('peers/upstream.js', ports.map(String))
  const process = await startProgram(lab, { ...program, core: lab.loadCore })
  for (const port of ports) await waitForPort(port, process)
  return { ports, process }
}

function upstreamConfig(ports: readonly number[], folder: string): string {
  return ports
    .map(
      (port, index) => `
  server {
    listen 127.0.0.1:${port} backlog=4096;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    client_max_body_size 0;
    location = / { default_type text/plain; return 200 "hello from ${index + 1}"; }
    location /bodies/ { alias ${folder}/; sendfile on; }
    location /sink { client_body_buffer_size 64k; return 204; }
  }`,
    )
    .join('\n')
}

/** Files of 1 MiB and 1 GiB; the large one has a hole in place of data, so it takes no room. */
function bodyFolder(lab: Lab): string {
  const folder = join(lab.directory, 'bodies')
  mkdirSync(folder, { recursive: true })
  chmodSync(lab.directory, 0o755)
  const small = openSync(join(folder, '1m'), 'w')
  writeSync(small, Buffer.alloc(2 ** 20, 'drover '))
  closeSync(small)
  closeSync(openSync(join(folder, '1g'), 'w'))
  truncateSync(join(folder, '1g'), 2 ** 30)
  return folder
}
