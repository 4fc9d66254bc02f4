import { parentPort } from 'node:worker_threads'
import { type Search, searchPattern } from './pattern-search.ts'

/** A thread that searches: whoever started it ends it when a pattern runs away. */
parentPort?.on('message', (search: Search) => {
  const found = searchPattern(search)
  parentPort?.postMessage(found, found.kind === 'found' ? [found.offsets.buffer] : [])
})
