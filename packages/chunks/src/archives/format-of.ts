import type { ArchiveFormat } from './format.ts'
import { createTar } from './tar.ts'
import { createZip } from './zip.ts'

/** Outputs in which each chunk lies at a place that the sizes of those before it tell. */
export const placedOutputs = ['zip', 'tar', 'pack'] as const

export type PlacedOutput = (typeof placedOutputs)[number]

/** Returns how chunks are laid out in an output. */
export function formatOf(output: PlacedOutput): ArchiveFormat {
  if (output === 'zip') return createZip()
  return output === 'tar' ? createTar() : bare
}

/** A pack: the bytes of the chunks alone. */
const bare: ArchiveFormat = {
  hasCrc: false,
  around: () => ({ before: 0, after: 0 }),
  begin() {},
  finish() {},
  async *end() {},
}
