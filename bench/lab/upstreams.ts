import type { Lab } from './lab.ts'
import { nginxProgram } from './nginx.ts'
import { freePorts } from './ports.ts'
import { nodeProgram, type Program, type Started, startProgram, waitForPort } from './processes.ts'
import { findProgram } from './programs.ts'

/** Three servers that all doors of one measurement forward to. */
export interface Upstreams {
  readonly ports: readonly number[]
  readonly process: Started
}

/**
 * Starts three upstreams with small answers on the load's core. One nginx serves all three, the
 * cheapest there is; without nginx a node server takes its place.
 */
export async function startUpstreams(lab: Lab): Promise<Upstreams> {
  const ports = await freePorts(3)
  if (findProgram('nginx') === undefined) return startOn(lab, ports, nodeUpstream(ports))
  return startOn(lab, ports, nginxProgram(lab, 'upstreams', smallAnswers(ports)))
}

/** Starts three upstreams for large bodies: `/bodies/<bytes>` sends as many, `/sink` takes any. */
export async function startBodyUpstreams(lab: Lab): Promise<Upstreams> {
  const ports = await freePorts(3)
  return startOn(lab, ports, nodeUpstream(ports))
}

async function startOn(lab: Lab, ports: readonly number[], program: Program): Promise<Upstreams> {
  const process = await startProgram(lab, { ...program, core: lab.loadCore })
  for (const port of ports) await waitForPort(port, process)
  return { ports, process }
}

function nodeUpstream(ports: readonly number[]): Program {
  return nodeProgram('peers/upstream.js', ports.map(String))
}

function smallAnswers(ports: readonly number[]): string {
  return ports
    .map(
      (port, index) => `
  server {
    listen 127.0.0.1:${port} backlog=4096;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    default_type text/plain;
    location / { return 200 "hello from ${index + 1}"; }
  }`,
    )
    .join('\n')
}
