import type { TestContext } from 'node:test'
import { parseAddress, silentLog } from '@drover/kernel'
import { type CourseApi, createCourseApi } from '../../src/course/course-api.ts'
import { MemoryDisk } from '../../src/log/memory-disk.ts'
import { createMemoryQueue, type MemoryQueue } from './memory-engine.ts'

/** Status and body of an answer, byte by byte. */
export type Heard = readonly [number, string]

/** Two managers over a queue in memory. */
export interface CourseUnderTest {
  readonly queue: MemoryQueue
  readonly disk: MemoryDisk
  api(): CourseApi
  /** Asks the primary manager; a body makes it a POST. */
  ask(path: string, body?: unknown): Promise<Heard>
  /** The same of the read-only one. */
  askReadOnly(path: string, body?: unknown): Promise<Heard>
  /** Stops the managers and starts others over the same disk and queue. */
  restart(disk?: MemoryDisk): Promise<void>
}

export async function startCourse(context: TestContext): Promise<CourseUnderTest> {
  const queue = createMemoryQueue('broker0')
  const open = async (disk: MemoryDisk) => {
    const made = createCourseApi({
      engine: queue.engine,
      brokers: queue.brokers,
      data: disk,
      address: parseAddress('127.0.0.1:0'),
      log: silentLog,
    })
    await made.start()
    return made
  }
  const disk = new MemoryDisk()
  let api = await open(disk)
  context.after(() => api.stop())
  return {
    queue,
    disk,
    api: () => api,
    ask: (path, body) => ask(api.primary, path, body),
    askReadOnly: (path, body) => ask(api.readOnly, path, body),
    async restart(other = disk) {
      await api.stop()
      api = await open(other)
    },
  }
}

async function ask(address: string, path: string, body: unknown): Promise<Heard> {
  const post = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }
  const response = await fetch(`http://${address}${path}`, body === undefined ? {} : post)
  return [response.status, await response.text()]
}
