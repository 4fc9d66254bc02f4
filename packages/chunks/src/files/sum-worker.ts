import { parentPort } from 'node:worker_threads'
import { type OpenFile, sumBlocks } from './sum-blocks.ts'

/** A thread that works out one sum. */
parentPort?.once('message', (file: OpenFile) => parentPort?.postMessage(sumBlocks(file)))
