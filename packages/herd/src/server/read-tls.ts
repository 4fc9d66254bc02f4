import { readFile } from 'node:fs/promises'
import { fault } from '../errors.ts'
import type { PeerTls } from '../flood/tcp-transport.ts'

/** Returns the texts of the certificate files. Throws TOPOLOGY_INVALID when one cannot be read. */
export async function readTls(
  files: { certificate: string; key: string; authority: string } | undefined,
): Promise<PeerTls | undefined> {
  if (!files) return undefined
  const read = async (file: string) => {
    try {
      return await readFile(file, 'utf8')
    } catch (cause) {
      throw fault('TOPOLOGY_INVALID', `${file}: the certificate cannot be read`, { cause })
    }
  }
  const [certificate, key, authority] = await Promise.all([
    read(files.certificate),
    read(files.key),
    read(files.authority),
  ])
  return { certificate, key, authority }
}
