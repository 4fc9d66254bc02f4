import { copyPlainJson, DOT, viewOf, ZERO } from '../protocol/bytes.ts'
import type { HerdState } from '../state/herd-state.ts'
import type { Hit } from '../state/search.ts'

const before = Buffer.from('{"client":"')
const between = Buffer.from('","distanceKm":')
const after = Buffer.from('},')
const end = Buffer.from(']}')
/** A distance has at most five digits, a point and three more. */
const distanceBytes = 9

/**
 * Returns `{HEAD"clients":[{"client":"kiwi","distanceKm":1.234}, …]}` as bytes of UTF-8: who is there,
 * and how far away to a metre. Put together by hand, because who asks often asks for hundreds.
 */
export function renderBriefHits(state: HerdState, head: string, hits: readonly Hit[]): Buffer {
  const { texts } = state
  const start = Buffer.from(`{${head}"clients":[`)
  const perHit = before.length + between.length + after.length + distanceBytes
  let size = start.length + end.length
  // A byte of an id takes at most six: \u00XX. Looking at each text already here lets the processor
  // wait for all of them at a time.
  for (const { slot } of hits)
    size += perHit + state.keyBytesAt(slot) * (texts[state.keyStartAt(slot)] === 0 ? 7 : 6)
  const target = Buffer.allocUnsafe(size)
  const textsView = viewOf(texts)
  const targetView = viewOf(target)
  let to = start.copy(target)
  for (const { slot, distanceKm } of hits) {
    const key = state.keyStartAt(slot)
    to = append(before, target, to)
    to = copyPlainJson(textsView, key, key + state.keyBytesAt(slot), targetView, to)
    to = append(between, target, to)
    to = writeThousandths(Math.round(distanceKm * 1_000), target, to)
    to = append(after, target, to)
  }
  // The last hit's comma makes room for the end.
  if (hits.length > 0) to--
  return target.subarray(0, append(end, target, to))
}

function append(bytes: Uint8Array, target: Uint8Array, at: number): number {
  for (let from = 0; from < bytes.length; from++) target[at + from] = bytes[from] as number
  return at + bytes.length
}

/** Writes a whole number of thousandths as a decimal: 1234 as 1.234. */
function writeThousandths(value: number, target: Uint8Array, at: number): number {
  let digits = 4
  for (let left = value; left >= 10_000; left = Math.floor(left / 10)) digits++
  let left = value
  for (let place = at + digits; place >= at; place--) {
    if (place === at + digits - 3) {
      target[place] = DOT
      continue
    }
    const tens = Math.floor(left / 10)
    target[place] = ZERO + left - tens * 10
    left = tens
  }
  return at + digits + 1
}
