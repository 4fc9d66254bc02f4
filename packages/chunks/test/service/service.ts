import type { TestContext } from 'node:test'
import { silentLog, systemClock, systemRandom } from '@drover/kernel'
import { startBackend } from '../../src/service/backend.ts'
import { MemoryRequestQueue } from '../../src/service/request-queue.ts'
import { type RunningChunks, type ServiceOptions, startChunks } from '../../src/service/serve.ts'
import { later } from '../local.ts'

/** Starts a backend on a free port; it is gone after the test. */
export async function startTestBackend(t: TestContext, port = 0, tasksMax = 8) {
  const host = '127.0.0.1'
  const backend = await startBackend({ host, port, clock: systemClock, log: silentLog, tasksMax })
  later(t, () => backend.stop())
  return { ...backend, url: `http://${host}:${backend.port}` }
}

/** Starts a service over `folder` on a free port, with memory for its queue. */
export async function startTestService(
  t: TestContext,
  folder: string,
  backendsUrl: string,
  more: Partial<ServiceOptions> = {},
): Promise<RunningChunks> {
  const service = await startChunks({
    ...{ host: '127.0.0.1', port: 0, folder, backendsUrl },
    queue: new MemoryRequestQueue(),
    ...{ clock: systemClock, random: systemRandom, log: silentLog },
    ...more,
  })
  later(t, () => service.stop())
  return service
}

/** Waits for a condition; throws after 20 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Sends bytes; returns the answer. */
export function send(url: string, query: string, bytes: Uint8Array, headers = {}) {
  return fetch(new URL(`/chunks?${query}`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', ...headers },
    body: bytes as Uint8Array<ArrayBuffer>,
  })
}
