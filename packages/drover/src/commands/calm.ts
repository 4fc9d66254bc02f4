import type { DroverEvent } from '../event-log.ts'

/** A service that keeps dying is told of again after this many ms at the earliest. */
const repeatMs = 10_000

/** A service in which nothing died for this many ms is over it; waits between tries are shorter. */
const overMs = 120_000

interface Loop {
  toldAtMs: number
  lastDeathMs: number
  deathsSince: number
}

/**
 * Returns what decides whether the console tells an event: the words, or undefined for silence. From
 * the first crash loop of a service on, its deaths are told once in ten seconds, and counted meanwhile.
 */
export function createCalm(): (event: DroverEvent) => string | undefined {
  const loops = new Map<string, Loop>()
  return ({ kind, service = '', atMs, message }) => {
    const known = loops.get(service)
    const loop = known && atMs - known.lastDeathMs < overMs ? known : undefined
    if (kind === 'supervisor.replica.died') return loop ? count(loop, atMs) : message
    if (kind !== 'supervisor.group.crash-loop') return message
    if (loop && atMs - loop.toldAtMs < repeatMs) return undefined
    loops.set(service, { toldAtMs: atMs, lastDeathMs: atMs, deathsSince: 0 })
    return `${message}${countOf(loop)}`
  }
}

function count(loop: Loop, atMs: number): undefined {
  loop.deathsSince++
  loop.lastDeathMs = atMs
}

function countOf(loop: Loop | undefined): string {
  return loop ? `\n    ${loop.deathsSince} deaths since this was last told` : ''
}
