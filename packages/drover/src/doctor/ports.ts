import { createServer } from 'node:net'
import { formatAddress, parseAddress } from '@drover/kernel'
import type { Finding } from './finding.ts'

/** Looks whether `addresses` can be listened on. Port 0 always can. */
export async function examineAddresses(addresses: readonly string[]): Promise<Finding[]> {
  return Promise.all(
    addresses.map(async (text) => {
      const address = parseAddress(text)
      const what = `address ${formatAddress(address)}`
      const problem = await tryListening(address)
      if (problem === undefined) return { what, verdict: 'good', found: 'free' } as const
      const advice = 'stop what has it, or name another address in drover.yaml'
      return { what, verdict: 'bad', found: problem, advice } as const
    }),
  )
}

function tryListening(at: { readonly host: string; readonly port: number }) {
  return new Promise<string | undefined>((resolve) => {
    const server = createServer()
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      const taken = code === 'EADDRINUSE'
      resolve(taken ? 'taken by another program' : `cannot be listened on (${code})`)
    })
    server.listen({ host: at.host, port: at.port }, () => server.close(() => resolve(undefined)))
  })
}
