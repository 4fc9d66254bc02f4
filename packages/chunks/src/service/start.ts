import type { BackendOptions } from './backend.ts'
import type { RunningChunks, ServiceOptions } from './serve.ts'

/*
 * The service is loaded when it is started: who cuts a file on this machine needs none of it, and is up
 * a third sooner.
 */

/** Starts the front: takes up what the last run left, then listens. */
export async function startChunks(options: ServiceOptions): Promise<RunningChunks> {
  const service = await import('./serve.ts')
  return service.startChunks(options)
}

/** Starts a backend: it does tasks, and keeps nothing. */
export async function startBackend(
  options: BackendOptions,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const service = await import('./backend.ts')
  return service.startBackend(options)
}
