import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '@drover/kernel'
import { chunkLocally } from '../src/chunk-locally.ts'
import type { LocalOrder } from '../src/make-result.ts'
import { parseInput } from '../src/source/input.ts'
import { parseWay } from '../src/way/parse-way.ts'
import type { WayOptions } from '../src/way/way.ts'

const undoings = new WeakMap<TestContext, (() => unknown)[]>()

/** Calls `undo` after the test; what was done last is undone first. */
export function later(t: TestContext, undo: () => unknown): void {
  const known = undoings.get(t)
  if (known) {
    known.push(undo)
    return
  }
  const list = [undo]
  undoings.set(t, list)
  t.after(async () => {
    for (const one of list.toReversed()) await one()
  })
}

/** Returns a folder that is gone after the test. */
export function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-chunks-'))
  later(t, () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** How a test chunks. */
export interface LocalWish {
  readonly by: string
  readonly as: LocalOrder['output']
  readonly options?: WayOptions
  readonly name?: string
  readonly packing?: string
  readonly encoding?: string
  readonly chunksMax?: number
}

/** Chunks bytes in `folder`; returns where the result is. */
export async function chunkBytes(folder: string, bytes: Buffer, wish: LocalWish): Promise<string> {
  const { by, as, options = {}, name = 'in put.txt', chunksMax = 1_000_000 } = wish
  const file = join(folder, 'input')
  const target = join(folder, `result.${as}`)
  writeFileSync(file, bytes)
  await chunkLocally(
    {
      ...{ file, name, target, output: as, sums: true },
      way: parseWay(by, options),
      input: parseInput(wish.packing, wish.encoding),
    },
    { clock: systemClock, chunksMax, advance: () => {} },
  )
  return target
}
