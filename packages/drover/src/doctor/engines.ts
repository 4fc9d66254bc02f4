import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { promisify } from 'node:util'
import type { Finding } from './finding.ts'

const run = promisify(execFile)
const patienceMs = 5_000

/** A program that Drover can run on instead of its own part, and how it tells its version. */
const programs = [
  { what: 'nginx', words: ['nginx', '-v'], use: 'door.engine: nginx' },
  { what: 'HAProxy', words: ['haproxy', '-v'], use: 'door.engine: haproxy' },
  {
    what: 'RabbitMQ',
    words: ['rabbitmqctl', 'version'],
    use: 'drover queue serve --engine rabbitmq',
  },
  { what: 'NATS', words: ['nats-server', '-v'], use: 'drover queue serve --engine nats' },
  {
    what: 'PostgreSQL',
    words: ['psql', '--version'],
    use: 'drover jobs serve --store postgres://',
  },
] as const

/** Looks for the engines on this machine. Those that run elsewhere are not seen. */
export async function examineEngines(): Promise<Finding[]> {
  return Promise.all([...programs.map(examineProgram), examineDocker()])
}

async function examineProgram({ what, words, use }: (typeof programs)[number]): Promise<Finding> {
  const [program, ...args] = words
  try {
    const { stdout, stderr } = await run(program, args, { timeout: patienceMs })
    return { what, verdict: 'good', found: firstLine(stdout || stderr) }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const found = missing ? 'not on this machine' : firstLine((error as Error).message)
    return { what, verdict: 'absent', found, advice: `only for ${use}` }
  }
}

/** Asks the engine itself: the client says nothing of whether one runs. */
async function examineDocker(): Promise<Finding> {
  const { DOCKER_HOST = '' } = process.env
  const socketPath = DOCKER_HOST.replace(/^unix:\/\//, '') || '/var/run/docker.sock'
  const advice = 'only for services with docker: instead of command:'
  try {
    const version = await askDocker(socketPath)
    return { what: 'Docker', verdict: 'good', found: `${version} on ${socketPath}` }
  } catch {
    const found = `no engine on ${socketPath}`
    return { what: 'Docker', verdict: 'absent', found, advice }
  }
}

function askDocker(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/version', timeout: patienceMs }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece: string) => {
        if (text.length < 65_536) text += piece
      })
      answer.on('end', () => {
        const [, version] = /"Version":"([^"]{1,40})"/.exec(text) ?? []
        if (version === undefined) reject(new Error('no version'))
        else resolve(version)
      })
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer')))
    asked.on('error', reject)
    asked.end()
  })
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]?.slice(0, 100) ?? ''
}
