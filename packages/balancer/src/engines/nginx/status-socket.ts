import { request } from 'node:http'
import type { Clock } from '@drover/kernel'

/** What nginx tells on its status socket. */
export interface NginxConnections {
  readonly open: number
  readonly accepted: number
  readonly handled: number
}

const askMs = 1_000

/** Returns the generation of the configuration that answers; undefined when nobody does. */
export async function askGeneration(folder: string, clock: Clock): Promise<number | undefined> {
  const text = await ask(folder, '/generation', clock)
  return text === undefined ? undefined : Number(text)
}

/** Returns nginx's count of client connections; undefined when nobody answers. */
export async function askConnections(
  folder: string,
  clock: Clock,
): Promise<NginxConnections | undefined> {
  const text = await ask(folder, '/status', clock)
  const match = /Active connections: (\d+).*\n.*\n\s*(\d+) (\d+) \d+/.exec(text ?? '')
  if (!match) return undefined
  const [open = 0, accepted = 0, handled = 0] = match.slice(1).map(Number)
  return { open, accepted, handled }
}

function ask(folder: string, path: string, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socketPath = `${folder}/status.sock`
    const headers = { host: 'status' }
    const asked = request({ socketPath, path, headers, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      answer.once('end', () => resolve(text))
      answer.once('error', () => resolve(undefined))
    })
    const cancel = clock.after(askMs, () => asked.destroy())
    asked.once('error', () => resolve(undefined))
    asked.once('close', cancel)
    asked.end()
  })
}
