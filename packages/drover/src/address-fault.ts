import { Fault } from '@drover/kernel'
import { fault } from './errors.ts'

/** Names what the system says when an address cannot be listened on (ADDRESS_TAKEN); returns other errors as they are. */
export function addressFault(error: unknown): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // One that was made of such a fault says what to do about it as well.
    if (isTaken(cause) && isTaken(cause.cause)) return error
    const { code, syscall, address, port } = cause as Error & Record<string, unknown>
    // A connection that fails has an address, too.
    if (syscall !== 'listen') continue
    const where = `${address}:${port}`
    if (code === 'EADDRINUSE')
      return fault('ADDRESS_TAKEN', `${where} is taken by another program`, { cause: error })
    if (code === 'EACCES' && port !== undefined)
      return fault('ADDRESS_TAKEN', `${where} needs rights that you do not have`, { cause: error })
    if (code === 'EADDRNOTAVAIL')
      return fault('ADDRESS_TAKEN', `${where} is no address of this machine`, { cause: error })
  }
  return error
}

function isTaken(error: unknown): boolean {
  return error instanceof Fault && error.code === 'ADDRESS_TAKEN'
}
