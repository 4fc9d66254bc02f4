import { createServer } from 'node:net'
import { formatAddress } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { Plan } from '../plan.ts'

/**
 * Returns the real port of each listener of `plan`: the one asked for; where that is 0, the one that
 * it had in `before`, or a free one. Foreign servers cannot tell which port the system gave them,
 * and complain late of one that is taken: so ports that are new are tried here. Throws PLAN_REFUSED
 * that names the listener.
 */
export async function realPorts(
  plan: Plan,
  before: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  const held = new Set(Object.values(before))
  const ports: Record<string, number> = {}
  for (const { name, host, port } of plan.listeners) {
    const kept = port === 0 ? before[name] : held.has(port) ? port : undefined
    ports[name] = kept ?? (await tryPort(name, host, port))
  }
  return ports
}

function tryPort(listener: string, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (cause) => {
      const address = formatAddress({ host, port })
      const message = `listener ${listener} cannot have ${address}: ${cause.message}`
      reject(fault('PLAN_REFUSED', message, { cause }))
    })
    server.listen(port, host, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port))
    })
  })
}
