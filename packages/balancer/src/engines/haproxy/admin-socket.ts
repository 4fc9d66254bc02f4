import { connect } from 'node:net'
import { type Clock, withDeadline } from '@drover/kernel'
import { fault } from '../../errors.ts'

const askMs = 5_000
const answerCharsMax = 8 << 20

/** Sends one command to HAProxy's admin socket and returns what it says. Throws ENGINE_FAILED. */
export async function command(path: string, text: string, clock: Clock): Promise<string> {
  const socket = connect({ path })
  const said = new Promise<string>((resolve, reject) => {
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString()
      if (answer.length > answerCharsMax) socket.destroy(new Error('the answer is too long'))
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(answer))
    socket.end(`${text}\n`)
  })
  try {
    return await withDeadline(`haproxy: ${text.slice(0, 40)}`, askMs, clock, said)
  } catch (cause) {
    throw fault('ENGINE_FAILED', 'haproxy does not answer on its admin socket', { cause })
  } finally {
    socket.destroy()
  }
}

/** Returns the rows of a table that HAProxy prints: names in its first line, parted by `separator`. */
export function parseTable(text: string, separator: string): Record<string, string>[] {
  const lines = text.split('\n').filter((line) => line !== '')
  const head = lines.findIndex((line) => line.startsWith('# '))
  const names = (lines[head] ?? '').slice(2).split(separator)
  return lines.slice(head + 1).map((line) => {
    const values = line.split(separator)
    return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
  })
}
