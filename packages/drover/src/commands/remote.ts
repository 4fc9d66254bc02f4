import type { Command } from 'commander'
import type { AdminClient } from '../admin/client.ts'
import { type FindOptions, findAdmin } from '../admin/find.ts'
import type { EventView } from '../admin/schemas.ts'

/** Adds the options by which a command finds the running instance that is meant. */
export function withInstance(command: Command): Command {
  return command
    .optionsGroup('Which instance:')
    .option('--admin <address>', 'its admin API, as 127.0.0.1:8081 (or DROVER_ADMIN)')
    .option('--token <token>', 'what the admin API wants to see (or DROVER_TOKEN)')
    .option('--data <folder>', 'its data folder (default: .drover beside the configuration)')
    .option('-c, --config <file>', 'its configuration (default: drover.yaml)')
}

/** Returns the instance that a command's options mean. */
export function instanceOf(options: FindOptions): Promise<AdminClient> {
  return findAdmin(options)
}

/**
 * Yields what happens to `service` after the event `since`, until the caller has seen enough.
 * Ctrl-c ends it.
 */
export async function* happenings(
  client: AdminClient,
  since: number,
  service: string,
): AsyncGenerator<EventView> {
  const done = new AbortController()
  try {
    const events = client.stream<EventView>(`/v1/events?since=${since}`, done.signal)
    for await (const event of events) if (event.service === service) yield event
  } finally {
    done.abort()
  }
}

/** Returns `path` with each `:name` in the place of which an encoded value stands. */
export function route(parts: TemplateStringsArray, ...values: string[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent))
}
