import { readFile, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { stringify } from 'yaml'
import { loadFile } from '../config/load.ts'
import { fault } from '../errors.ts'
import { say } from '../terminal.ts'

const file = 'drover.yaml'

/** What is to run, and how that was found. */
interface Start {
  readonly words: readonly string[]
  readonly from: string
}

/** `drover init`: a commented drover.yaml for one's own service. */
export function initCommand(): Command {
  return new Command('init')
    .summary('Writes a commented drover.yaml for your own service.')
    .description(
      `Writes ${file} for what this folder holds: the command after --, else the start script of\npackage.json, else the first line of a Procfile. It changes no file that is there.`,
    )
    .argument('[command...]', 'what each replica runs, after --')
    .option('--name <name>', 'of the service', 'web')
    .action(async (command: string[], { name }: { name: string }) => {
      if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name))
        throw fault('USAGE', `--name: "${name}" is not 1 to 63 letters, digits, _, . or -`)
      const start = await findStart(command)
      await write(configurationOf(name, start))
      await loadFile(file)
      say(`${file}: runs "${start.words.join(' ')}" (${start.from})`)
      say('Look it over, then: npx drover config check && npx drover up')
    })
}

async function findStart(command: readonly string[]): Promise<Start> {
  if (command.length > 0) return { words: command, from: 'as you said' }
  return (
    (await fromPackage()) ??
    (await fromProcfile()) ?? {
      words: ['node', 'server.js'],
      from: 'a guess; put your own command in its place',
    }
  )
}

/** npm itself between Drover and the program would swallow signals; a plain start is run without. */
async function fromPackage(): Promise<Start | undefined> {
  const text = await readFile('package.json', 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const script = startScript(text)
  if (script === undefined) return undefined
  const from = 'the start script of package.json'
  const isPlain = /^(node|bun|deno|tsx)\s[^&|;<>$`]+$/.test(script)
  return { words: isPlain ? script.split(/\s+/) : ['npm', 'start'], from }
}

function startScript(text: string): string | undefined {
  try {
    const { scripts } = JSON.parse(text) as { scripts?: { start?: unknown } }
    return typeof scripts?.start === 'string' ? scripts.start.trim() : undefined
  } catch (cause) {
    throw fault('USAGE', `package.json: ${(cause as Error).message}`, { cause })
  }
}

async function fromProcfile(): Promise<Start | undefined> {
  const text = await readFile('Procfile', 'utf8').catch(() => '')
  const [, command] = /^[A-Za-z0-9_-]+:[ \t]*(\S.*)$/m.exec(text) ?? []
  return command === undefined
    ? undefined
    : { words: ['/bin/sh', '-c', `exec ${command}`], from: 'the Procfile' }
}

/** Never over a file that is there: it may be somebody's work. */
async function write(text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST')
      throw fault('USAGE', `there is a ${file} here already; it stays as it is`)
    throw fault('USAGE', `${file} cannot be written: ${message}`, { cause })
  }
}

function configurationOf(name: string, { words }: Start): string {
  const command = stringify(words, { collectionStyle: 'flow', lineWidth: 0 }).trim()
  return `# What Drover runs here: npx drover up. Every key there is, with its default: npx drover config show
services:
  ${name}:
    # Each replica listens on the port in PORT (or {port} in its words) and host in HOST.
    command: ${command}
    replicas: 3

    # Who gets a request: round-robin, least-connections, peak-ewma, ring (with key: header:x-user), ...
    policy: round-robin

    # A replica gets requests once this path answers with 200-499, and none while it does not.
    # A path of its own for this, as /healthz, has to answer with 200-399.
    health: { path: / }

    # When it is told to end (SIGTERM) it may finish what it has; after the timeout it is killed.
    stop: { drain: 30s, timeout: 10s }

    # env: { LOG_LEVEL: info }
    # sticky: true                  # a client stays with its replica, by a signed cookie
    # rateLimit: { perSecond: 50 }  # of one client; above it 429
    # autoscale: { min: 2, max: 8 }

listeners:
  - address: 127.0.0.1:8080 # 0.0.0.0:8080 for other machines
    service: ${name}
    # tls: { cert: cert.pem, key: key.pem }
    # routes: [{ path: /api, service: api }]

# The page and the API behind it. For other machines: an address and a token of 16 letters or more.
# admin: { address: 0.0.0.0:8081, token: ... }
`
}
