import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = new URL('../../../../examples/home-server/server.js', import.meta.url)

/**
 * Returns the sample server, which lies in the examples of the project, above the compiled file;
 * undefined where the project came without them.
 */
export function sampleServer(): string | undefined {
  return existsSync(file) ? fileURLToPath(file) : undefined
}
