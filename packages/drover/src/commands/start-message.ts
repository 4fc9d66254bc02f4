import type { ServiceView } from '../admin/schemas.ts'
import type { Instance } from '../instance.ts'
import { readStatus } from '../status.ts'
import { paint } from '../terminal.ts'
import { version } from '../version.ts'

/** Returns what runs where, in as few lines as it takes. */
export async function startMessage(
  { system, admin }: Instance,
  hints: readonly string[],
): Promise<string> {
  const file = system.file ?? null
  const about = { version, pid: process.pid, startedAtMs: 0, file, admin: admin ?? null }
  const { listeners, services } = await readStatus(system, about)
  const doors = listeners.map(({ url, services: names }) => [url, names.join(', ')])
  const left = [...doors.map(([url = '']) => url), ...services.map(({ name }) => name), 'admin']
  const width = Math.max(...left.map((text) => text.length))
  const row = (name: string, rest: string) => `  ${name.padEnd(width)}  ${rest}`
  return [
    paint('bold', `drover ${version}`),
    ...doors.map(([url = '', names = '']) => row(url, `→ ${names}`)),
    ...services.flatMap((service) => [
      row(service.name, describe(service)),
      ...waiting(service).map((line) => row('', line)),
    ]),
    admin === undefined ? '' : row('admin', `${admin}, the page and its API`),
    '',
    ...hints,
    'Ctrl-c stops everything.',
    '',
  ]
    .filter((line, index, lines) => line !== '' || lines[index - 1] !== '')
    .join('\n')
}

/** Why a service that is not ready yet is not, by the example of one replica. */
function waiting({ available, replicas, trouble }: ServiceView): string[] {
  if (trouble !== null) return trouble.split('\n')
  const unready = replicas.find(({ state }) => state !== 'ready' && state !== 'slow-start')
  if (available >= replicas.length || !unready) return []
  const { name, state, reason } = unready
  const hint = reason.startsWith('nobody listens yet')
    ? '; does it listen on the port in PORT?'
    : ''
  return [`${name} is ${state}: ${reason}${hint}`]
}

/** At most this many replicas are named. */
const namedMax = 8

function describe({ kind, policy, wanted, available, replicas }: ServiceView): string {
  const names = replicas.slice(0, namedMax).map(({ name }) => name)
  const more = replicas.length > namedMax ? `, and ${replicas.length - namedMax} more` : ''
  const ready = available >= wanted ? 'ready' : `${available} ready`
  const one = kind === 'docker' ? 'container' : kind === 'process' ? 'replica' : 'address'
  const what = wanted === 1 ? one : one === 'address' ? 'addresses' : `${one}s`
  const who = names.length === 0 ? '' : `: ${names.join(', ')}${more}`
  return `${wanted} ${what}, ${ready}, ${policy}${who}`
}
