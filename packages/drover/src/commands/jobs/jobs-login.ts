import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Command, Option } from 'commander'
import { fault } from '../../errors.ts'
import { say } from '../../terminal.ts'
import { withUrl } from './jobs-client.ts'
import { keepTokens, tokenFile } from './jobs-tokens.ts'

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
  const command = new Command('logout').description('Forgets the tokens that login kept.')
  return withUrl(command).action(({ url }: LoginOptions) => {
    keepTokens(tokenFile(), url, undefined)
    say(`nobody is logged in at ${url}`)
  })
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
