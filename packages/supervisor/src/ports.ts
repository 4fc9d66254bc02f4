import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Random } from '@drover/kernel'

const host = '127.0.0.1'
const triesMax = 64

/** Chooses ports for replicas. */
export interface Ports {
  /** A port of 127.0.0.1 that nobody listens on and that was not given out and kept. */
  take(): Promise<number>
  /** The replica that had it has ended. */
  release(port: number): void
}

/**
 * Returns a chooser of ports. They come from below the range that the system takes the ports of
 * outgoing connections from: a busy front door has thousands of those, and each would be a port that
 * a replica finds taken between the choice and its own bind.
 */
export function createPorts(random: Random): Ports {
  const given = new Set<number>()
  const [least, most] = rangeBelowEphemeral()

  return {
    async take() {
      for (let tries = 0; tries < triesMax; tries++) {
        const port = random.integer(least, most)
        if (given.has(port)) continue
        // Kept before the check, so that two replicas starting together never get the same.
        given.add(port)
        if (!(await isTaken(port))) return port
        given.delete(port)
      }
      const port = await portOfTheSystem()
      given.add(port)
      return port
    },
    release: (port) => {
      given.delete(port)
    },
  }
}

/** Resolves to whether somebody listens on `port` of 127.0.0.1, or on every interface. */
export function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(true))
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(false)))
  })
}

function portOfTheSystem(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ port: 0, host, exclusive: true }, () => {
      const address = probe.address()
      const port = typeof address === 'object' && address ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}

/** From 20000 to just below the first port of outgoing connections; a range of its own without Linux. */
function rangeBelowEphemeral(): [number, number] {
  let first = 32_768
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    first = Number(text.trim().split(/\s+/)[0]) || first
  } catch {
    // Not Linux: others begin at 49152, so the default fits them too.
  }
  return first > 22_000 ? [20_000, first - 1] : [20_000, 32_767]
}
