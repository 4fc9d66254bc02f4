import { Worker } from 'node:worker_threads'
import { fault } from '../errors.ts'
import { foundPlaces, type Place, type PlacesProvider, type PlacesQuery } from './places.ts'

interface Waiting {
  resolve(places: readonly Place[]): void
  reject(reason: unknown): void
}

const attribution = 'Towns: GeoNames, CC BY 4.0'

/**
 * Returns the provider without a key: the towns of the world. They live in a thread of their own,
 * started by the first question, because loading them would stop everything else for 0.2 s.
 */
export function createOfflinePlaces(): PlacesProvider {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let lastId = 0

  const start = (): Worker => {
    const started = new Worker(new URL('./offline-worker.js', import.meta.url))
    started.unref()
    started.on('message', ({ id, places }: { id: number; places: Place[] }) => {
      waiting.get(id)?.resolve(places)
      waiting.delete(id)
    })
    const end = (cause: unknown) => {
      if (worker === started) worker = undefined
      for (const { reject } of waiting.values())
        reject(fault('PLACES_UNREACHABLE', 'the thread of towns has ended', { cause }))
      waiting.clear()
    }
    started.on('error', end)
    started.on('exit', (code) => end(new Error(`it ended with ${code}`)))
    return started
  }
  const ask = (query: PlacesQuery) =>
    new Promise<readonly Place[]>((resolve, reject) => {
      worker ??= start()
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      worker.postMessage({ id, query })
    })

  return {
    name: 'offline',
    decimals: 6,
    search: async (query) => foundPlaces(await ask(query), attribution),
    async close() {
      await worker?.terminate()
    },
  }
}
