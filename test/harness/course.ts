import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from './drover.ts'
import { spawnBeside } from './processes.ts'
import { bin } from './project.ts'

/** A queue with the managers of the course. */
export interface Course {
  readonly primary: string
  readonly readOnly: string
  /** Where the manager listens to the binary protocol. */
  readonly binary: string
  /** Where its files are. */
  readonly data: string
  stop(): Promise<void>
  /** Ends the queue as a power cut would, and starts it again over its data. */
  restart(): Promise<Course>
}

/** Runs `drover queue serve` with the course's managers on free ports. */
export async function serveCourse(context: TestContext, data?: string): Promise<Course> {
  const folder = data ?? (await temporaryFolder())
  const words = ['queue', 'serve', '--course-api', '127.0.0.1:0', '--listen', '127.0.0.1:0']
  const { says, end } = spawnBeside(context, process.execPath, [
    ...[bin, ...words, '--tcp', '127.0.0.1:0'],
    ...['--brokers', '1', '--data', join(folder, 'queue')],
  ])
  const [, binary = '', primary = '', readOnly = ''] = await says(
    'the managers listen',
    /, (\S+) \(binary\)[\s\S]*primary (\S+), read-only (\S+)/,
  )
  return {
    primary,
    readOnly,
    binary,
    data: join(folder, 'queue'),
    stop: () => end('SIGTERM'),
    async restart() {
      await end('SIGKILL')
      return serveCourse(context, folder)
    },
  }
}

/** Asks a manager; returns the status and the answer. */
export async function askCourse(address: string, path: string, body?: unknown) {
  const post = { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(`http://${address}${path}`, body === undefined ? {} : post)
  return [response.status, (await response.json()) as { message: unknown }] as const
}
