import { type Address, formatAddress } from '@drover/kernel'
import { WebSocket } from 'ws'
import { fault } from './errors.ts'
import type { FenceShape } from './state/fences.ts'

/** What a fence's subscriber is told; `client` and the rest are as in the HTTP API. */
export interface FenceMessage {
  readonly event: 'enter' | 'leave' | 'move'
  readonly client: string
  readonly latitude: number
  readonly longitude: number
  readonly server: string
  readonly time: string
}

/**
 * Watches a fence at a server's HTTP address and calls `onMessage` for each crossing until the
 * signal aborts, or throws HERD_SILENT when the server goes away.
 */
export function watchHerd(
  address: Address,
  shape: FenceShape,
  onMessage: (message: FenceMessage) => void,
  signal: AbortSignal,
): Promise<void> {
  const where =
    shape.kind === 'box'
      ? { box: shape.box }
      : { circle: { ...shape.center, radiusKm: shape.radiusKm } }
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${formatAddress(address)}/v1/live`)
    let cause: unknown
    const stop = () => socket.terminate()
    signal.addEventListener('abort', stop, { once: true })
    socket.on('open', () => socket.send(JSON.stringify({ watch: 'fence', ...where })))
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as FenceMessage & { error?: string }
      if (message.error !== undefined) cause = new Error(message.error)
      if (message.error !== undefined) socket.terminate()
      else if (message.event !== undefined) onMessage(message)
    })
    socket.on('error', (error) => {
      cause = error
    })
    socket.on('close', () => {
      signal.removeEventListener('abort', stop)
      if (signal.aborted) resolve()
      else reject(fault('HERD_SILENT', `${formatAddress(address)} tells no more`, { cause }))
    })
  })
}
