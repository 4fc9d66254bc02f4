import { parentPort } from 'node:worker_threads'
import { indexCities } from './cities.ts'
import type { PlacesQuery } from './places.ts'

/** The other thread of `createOfflinePlaces`: loads the towns and answers until it is ended. */
const cities = indexCities()

parentPort?.on('message', ({ id, query }: { id: number; query: PlacesQuery }) => {
  parentPort?.postMessage({ id, places: cities.search(query) })
})
