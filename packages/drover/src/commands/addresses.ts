import { parseAddress } from '@drover/kernel'
import { fault } from '../errors.ts'

/** Returns a reader of addresses that leaves the text as it is, and names `what` when it refuses (USAGE). */
export function addressText(what: string): (text: string) => string {
  return (text) => {
    try {
      parseAddress(text)
    } catch (cause) {
      throw fault('USAGE', `${what}: expected HOST:PORT, not "${text}"`, { cause })
    }
    return text
  }
}
