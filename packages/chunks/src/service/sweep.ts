import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** So many bytes pass before the young garbage is collected. */
const everyBytes = 8 * 2 ** 20
/** Work on so many bytes leaves buffers that are worth a collection of everything. */
const largeBytes = 64 * 2 ** 20

type Collect = (options?: { readonly type: 'minor' }) => void

let collect: Collect | undefined
let passed = 0

/**
 * Tells that `bytes` came or went over the network. Each block of them is a buffer of its own that is
 * garbage at once, but V8 sees only the small object before it, and would let a hundred MiB gather.
 * Collecting them costs about 0.5 ms for each 8 MiB.
 */
export function sweepYoung(bytes: number): void {
  passed += bytes
  if (passed < everyBytes) return
  passed = 0
  collect ??= findCollect()
  collect({ type: 'minor' })
}

/** Collects what work on a file of `bytes` left, when it was large: about 20 ms. */
export function sweepAfter(bytes: number): void {
  if (bytes < largeBytes) return
  collect ??= findCollect()
  collect()
}

function findCollect(): Collect {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as Collect
}
