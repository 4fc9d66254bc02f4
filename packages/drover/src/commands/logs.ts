import { Command } from 'commander'
import type { AdminClient } from '../admin/client.ts'
import type { FindOptions } from '../admin/find.ts'
import type { LogLineView, StatusView } from '../admin/schemas.ts'
import { fault } from '../errors.ts'
import { paint, say } from '../terminal.ts'
import { wholeNumber } from './numbers.ts'
import { instanceOf, route, withInstance } from './remote.ts'

interface LogsOptions extends FindOptions {
  readonly follow?: boolean
  readonly replica?: string
  readonly lines: number
}

/** `drover logs`: what the replicas wrote. */
export function logsCommand(): Command {
  const command = new Command('logs')
    .description('Shows what the replicas of a service wrote, also those that died lately.')
    .argument('[service]', 'may be left out when there is only one')
    .option('-f, --follow', 'and what they write from now on, until ctrl-c')
    .option('-r, --replica <name>', 'only this one: its name ("Server 2"), or its number')
    .option(
      '-n, --lines <number>',
      'the last so many lines',
      wholeNumber('--lines', 0, 100_000),
      200,
    )
  return withInstance(command).action(async (service: string | undefined, options: LogsOptions) => {
    const client = await instanceOf(options)
    const names =
      service === undefined ? runningServices(await client.get('/v1/status')) : [service]
    const showNames = names.length > 1
    if (showNames && options.replica !== undefined)
      throw fault('USAGE', `--replica: say of which service, too; there are ${names.join(', ')}`)
    await Promise.all(names.map((name) => showLogs(client, name, options, showNames)))
  })
}

async function showLogs(
  client: AdminClient,
  service: string,
  options: LogsOptions,
  showName: boolean,
): Promise<void> {
  const { replica, lines, follow } = options
  const query = new URLSearchParams({
    lines: String(lines),
    ...(replica === undefined ? {} : { replica }),
    ...(follow ? { follow: 'true' } : {}),
  })
  const path = `${route`/v1/services/${service}/logs`}?${query}`
  const prefix = showName ? `${service} ` : ''
  if (follow)
    for await (const line of client.stream<LogLineView>(path, new AbortController().signal))
      show(line, prefix)
  else for (const line of await client.get<LogLineView[]>(path)) show(line, prefix)
}

function runningServices({ services }: StatusView): string[] {
  return services.filter(({ kind }) => kind !== 'addresses').map(({ name }) => name)
}

function show({ atMs, replica, stream, text }: LogLineView, prefix: string): void {
  const time = new Date(atMs).toISOString().slice(11, 23)
  const mark = stream === 'stderr' ? '!' : '|'
  say(`${paint('dim', time)} ${prefix}${paint('cyan', replica)} ${mark} ${text}`)
}
