import { systemClock } from '@drover/kernel'
import { Command } from 'commander'
import type { AdminClient } from '../admin/client.ts'
import type { FindOptions } from '../admin/find.ts'
import type { ReplicaView, ServiceView, StatusView } from '../admin/schemas.ts'
import { ago, paint, say, table } from '../terminal.ts'
import { instanceOf, withInstance } from './remote.ts'

/** How often `--watch` looks, in ms. */
const watchMs = 1_000

interface StatusOptions extends FindOptions {
  readonly json?: boolean
  readonly watch?: boolean
}

/** `drover status`: what runs, and why a replica gets no requests. */
export function statusCommand(): Command {
  const command = new Command('status')
    .description('Shows what runs, how it is, and why a replica gets no requests.')
    .argument('[service]', 'only this one')
    .option('--json', 'as JSON, for programs')
    .option('-w, --watch', 'again each second, until ctrl-c')
  return withInstance(command).action(
    async (service: string | undefined, options: StatusOptions) => {
      const client = await instanceOf(options)
      do {
        const text = await read(client, service, options.json === true)
        if (options.watch && process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[2J')
        say(text)
        if (options.watch) await systemClock.sleep(watchMs)
      } while (options.watch)
    },
  )
}

async function read(
  client: AdminClient,
  wanted: string | undefined,
  json: boolean,
): Promise<string> {
  const status = await client.get<StatusView>('/v1/status')
  const services =
    wanted === undefined
      ? status.services
      : [await client.get<ServiceView>(`/v1/services/${encodeURIComponent(wanted)}`)]
  if (json) return JSON.stringify({ ...status, services }, null, 2)
  return show({ ...status, services })
}

function show(status: StatusView): string {
  const nowMs = systemClock.now()
  const { version, pid, startedAtMs, engine, file } = status
  const head = `drover ${version}, process ${pid}, up ${ago(nowMs, startedAtMs)}, engine ${engine}`
  const doors = status.listeners.map(
    ({ url, services, connectionsOpen }) =>
      `${url} → ${services.join(', ')} (${connectionsOpen} connections)`,
  )
  return [
    file === null ? head : `${head}, ${file}`,
    ...doors,
    ...status.services.flatMap((service) => ['', showService(service, nowMs)]),
  ].join('\n')
}

function showService(service: ServiceView, nowMs: number): string {
  const { name, available, wanted, policy, waiting, requestsPerSecond, panic } = service
  const facts = [
    `${available} of ${wanted} ready`,
    policy,
    `${requestsPerSecond.toFixed(requestsPerSecond < 10 ? 1 : 0)} requests/s`,
    ...(waiting > 0 ? [`${waiting} wait`] : []),
    ...(panic ? ['too few are well: ejected ones are used'] : []),
  ]
  const rows = service.replicas.map((replica) => showReplica(replica, nowMs))
  const heading = [
    'replica',
    'state',
    'since',
    'address',
    'pid',
    'busy',
    'requests',
    'failed',
    'why',
  ]
  const trouble = service.trouble === null ? '' : `\n${paint('yellow', service.trouble)}`
  const replicas = rows.length === 0 ? '' : `\n${table(heading, rows)}`
  return `${paint('bold', name)}  ${facts.join(', ')}${trouble}${replicas}`
}

function showReplica(replica: ReplicaView, nowMs: number): string[] {
  const { name, state, sinceMs, address, pid, inFlight, requestsTotal, failuresTotal } = replica
  const numbers = [pid ?? '-', inFlight, requestsTotal, failuresTotal].map(String)
  return [name, state, ago(nowMs, sinceMs), address, ...numbers, replica.reason]
}
