import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../bin/drover.js', import.meta.url))

/** Returns the words that run this command with `words`, on the Node.js that runs us. */
export function ownCommand(...words: readonly string[]): string[] {
  return [process.execPath, script, ...words]
}
