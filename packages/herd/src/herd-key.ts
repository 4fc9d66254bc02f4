import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fault } from './errors.ts'
import type { Topology } from './topology.ts'

/** A shorter key could be guessed. */
const keyBytesMin = 16

/**
 * Returns the key that the servers of a topology prove to each other: from DROVER_HERD_KEY, from the
 * topology's `keyFile`, or from a file in the user's home that the first server makes. So nobody
 * has to set anything on one machine, and other users of it are kept out all the same.
 */
export async function loadHerdKey(topology: Topology): Promise<Uint8Array> {
  const given = process.env.DROVER_HERD_KEY
  if (given !== undefined && given !== '') return checked(Buffer.from(given), 'DROVER_HERD_KEY')
  const { keyFile } = topology.settings
  if (keyFile !== undefined) return checked(await readKey(keyFile), keyFile)
  return keptKey(join(homedir(), '.drover', `herd-${topology.name}.key`))
}

async function readKey(file: string): Promise<Buffer> {
  try {
    return Buffer.from((await readFile(file, 'utf8')).trim())
  } catch (cause) {
    throw fault('TOPOLOGY_INVALID', `${file}: the herd's key cannot be read`, { cause })
  }
}

/** Five servers that start at once must end with one key: the first link wins, the others read. */
async function keptKey(file: string): Promise<Uint8Array> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 })
  try {
    await link(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  return checked(await readKey(file), file)
}

function checked(key: Buffer, where: string): Uint8Array {
  if (key.length >= keyBytesMin) return key
  throw fault('TOPOLOGY_INVALID', `${where}: a key has at least ${keyBytesMin} bytes`)
}
