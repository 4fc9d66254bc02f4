import type { JobsClient } from '@drover/jobs'
import { Fault } from '@drover/kernel'
import { type Command, Option } from 'commander'
import { fault } from '../../errors.ts'
import { readTokens, renewTokens, tokenFile } from './jobs-tokens.ts'

/** Where the API is, and who asks. */
export interface ClientOptions {
  readonly url: string
  readonly token?: string
  /** What is said is for programs. */
  readonly json?: boolean
}

/** Adds `--url` and `--token` to a command. */
export function withClient(command: Command): Command {
  return withUrl(command).addOption(
    new Option('--token <token>', 'who asks; default what `login` kept').env('DROVER_JOBS_TOKEN'),
  )
}

/** Adds `--url` to a command. */
export function withUrl(command: Command): Command {
  return command.addOption(
    new Option('--url <url>', 'the API').env('DROVER_JOBS_URL').default('http://127.0.0.1:8000'),
  )
}

/** Adds `--json` to a command. */
export function withJson(command: Command): Command {
  return command.option('--json', 'one JSON object a line, for programs')
}

/** Calls `act` with a client of the API; says what to do when nobody is logged in, or no more. */
export async function asClient(
  { url, token }: ClientOptions,
  act: (client: JobsClient) => Promise<void>,
): Promise<void> {
  const { JobsClient } = await import('@drover/jobs')
  const file = tokenFile()
  const kept = token === undefined ? readTokens(file, url) : undefined
  const known = token ?? kept?.accessToken
  if (known === undefined)
    throw fault('USAGE', `nobody is logged in at ${url}: drover jobs login EMAIL --url ${url}`)
  const client = new JobsClient({
    ...{ url, token: known, renew: (before, refresh) => renewTokens(file, url, before, refresh) },
    ...(kept ? { refreshToken: kept.refreshToken } : {}),
  })
  try {
    await act(client)
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'TOKEN_REFUSED') throw error
    const message = `the token for ${url} is not valid any more: drover jobs login EMAIL --url ${url}`
    throw fault('USAGE', message, { cause: error })
  }
}
