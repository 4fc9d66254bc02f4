import { dirname, join, resolve } from 'node:path'
import { formatAddress, parseAddress } from '@drover/kernel'
import { findInstance } from '../data-folder.ts'
import { fault } from '../errors.ts'
import { type AdminClient, createAdminClient } from './client.ts'

/** What the commands that talk to a running instance take. */
export interface FindOptions {
  /** An address or URL. */
  readonly admin?: string
  readonly token?: string
  readonly data?: string
  readonly config?: string
}

/**
 * Returns the client of the instance that is meant: --admin, DROVER_ADMIN, or the one whose run file lies in
 * the data folder. Throws NOT_RUNNING that says where it looked.
 */
export async function findAdmin(options: FindOptions): Promise<AdminClient> {
  const { DROVER_ADMIN, DROVER_TOKEN } = process.env
  const told = options.admin ?? DROVER_ADMIN
  const folder = resolve(options.data ?? join(dirname(options.config ?? 'drover.yaml'), '.drover'))
  const instance = await findInstance(folder)
  const url = told === undefined ? instance?.admin : adminUrl(told)
  if (url === undefined) throw fault('NOT_RUNNING', nothingIn(folder, instance?.pid))
  const own = url === instance?.admin ? instance.token : undefined
  return createAdminClient({ url, token: options.token ?? DROVER_TOKEN ?? own })
}

function nothingIn(folder: string, pid: number | undefined): string {
  if (pid === undefined)
    return `no instance runs on ${folder}; -c names its drover.yaml, --data its folder, --admin its address`
  return `process ${pid} on ${folder} has no admin API; it was started with --admin off`
}

/** Returns the URL of an admin API named as people do: a URL, host:port, or a port. */
function adminUrl(text: string): string {
  if (/^https?:\/\//.test(text)) return text.replace(/\/+$/, '')
  const { host, port } = parseAddress(text)
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${formatAddress({ host: reachable, port })}`
}
