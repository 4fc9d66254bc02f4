import { once } from 'node:events'
import { connect } from 'node:net'
import { type Address, systemClock } from '@drover/kernel'
import { fault } from '../errors.ts'

const answerMsMax = 10_000

/** One connection of a client of the herd. */
export interface LineClient {
  /** Sends a line and resolves with the one that comes back, and when it came (monotonic ms). */
  ask(line: string): Promise<{ readonly answer: string; readonly atMs: number }>
  stop(): Promise<void>
}

/** Connects to a server of the herd; one question at a time. */
export async function openLineClient({ host, port }: Address): Promise<LineClient> {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  let rest = ''
  let hear: ((line: string) => void) | undefined
  let fail: ((cause: Error) => void) | undefined
  socket.setEncoding('latin1').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) hear?.(line)
  })
  socket.setTimeout(answerMsMax, () => socket.destroy(new Error('no answer')))
  socket.on('error', (cause) => fail?.(cause))
  socket.on('close', () => fail?.(new Error('the connection was closed')))
  return {
    ask: (line) =>
      new Promise((resolve, reject) => {
        hear = (answer) => resolve({ answer, atMs: systemClock.monotonic() })
        fail = (cause) =>
          reject(fault('EXPERIMENT_FAILED', `port ${port}: ${cause.message}`, { cause }))
        socket.write(`${line}\n`, 'latin1')
      }),
    stop: async () => {
      socket.destroy()
    },
  }
}
