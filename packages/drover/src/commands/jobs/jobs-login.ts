import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { LoginView } from '@drover/jobs'
import { Fault } from '@drover/kernel'
import { Command, Option } from 'commander'
import { fault } from '../../errors.ts'
import { say, warn } from '../../terminal.ts'
import { withUrl } from './jobs-client.ts'
import { keepTokens, readTokens, tokenFile } from './jobs-tokens.ts'

interface LoginOptions {
  readonly url: string
  readonly register?: boolean
  readonly password?: string
}

/** `drover jobs login` */
export function loginCommand(): Command {
  const command = new Command('login')
    .description('Logs in, and keeps the tokens for the other commands.')
    .argument('<email>')
    .option('--register', 'makes the account first')
    .addOption(
      new Option('--password <password>', 'asked for if absent; better not on the command line')
        .env('DROVER_JOBS_PASSWORD')
        .hideHelp(),
    )
  return withUrl(command).action(async (email: string, options: LoginOptions) => {
    const { url, register } = options
    const { JobsClient } = await import('@drover/jobs')
    const password = options.password ?? (await askPassword(`password of ${email}: `))
    if (register) await JobsClient.register(url, email, password)
    const file = tokenFile()
    keepTokens(file, url, await JobsClient.login(url, email, password))
    say(`${email} is logged in at ${url}; the tokens are in ${file}`)
  })
}

/** `drover jobs logout` */
export function logoutCommand(): Command {
  const command = new Command('logout').description(
    'Ends the login at the service, and forgets its tokens.',
  )
  return withUrl(command).action(async ({ url }: LoginOptions) => {
    const file = tokenFile()
    const kept = readTokens(file, url)
    keepTokens(file, url, undefined)
    if (kept) await endLogin(url, kept)
    say(`nobody is logged in at ${url}`)
  })
}

/** Whoever has copied the tokens shall have nothing of them. */
async function endLogin(url: string, kept: LoginView): Promise<void> {
  const { JobsClient } = await import('@drover/jobs')
  const { accessToken: token, refreshToken } = kept
  try {
    await new JobsClient({ url, token, refreshToken }).logout(refreshToken)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (error.code !== 'TOKEN_REFUSED')
      warn(`the tokens stay good for a while, for the service was not told: ${error.message}`)
  }
}

/** Reads one line; on a terminal without showing it. */
async function askPassword(question: string): Promise<string> {
  const { stdin, stderr } = process
  const isTerminal = stdin.isTTY === true
  if (isTerminal) stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: isTerminal })
  lines.once('SIGINT', () => lines.close())
  try {
    for await (const line of lines) return line
  } finally {
    lines.close()
    if (isTerminal) stderr.write('\n')
  }
  throw fault('USAGE', 'no password: type one, pipe one in, or set DROVER_JOBS_PASSWORD')
}
