import type { FileHandle } from 'node:fs/promises'
import { fault } from '../errors.ts'
import { writeWhole } from '../files/whole-write.ts'
import type { ManifestHead } from './manifest-lines.ts'
import type { Writer } from './writer.ts'

/** Small pieces are gathered to so many bytes. */
const gatheredBytes = 2 ** 20

/** Puts pieces that are stretches of the file where they were; they come in order, and may overlap. */
export function inPlace(head: ManifestHead): Writer {
  const gathered = Buffer.allocUnsafe(gatheredBytes)
  let used = 0
  let covered = 0
  const flush = async (file: FileHandle) => {
    await writeWhole(file, gathered.subarray(0, used), covered - used)
    used = 0
  }
  return {
    async write(file, piece, bytes, at) {
      const offset = piece.offset + at
      if (offset > covered)
        throw fault('CHUNKS_INCOMPLETE', `bytes ${covered} to ${offset} are in no chunk`)
      if (offset + bytes.length > head.bytes)
        throw fault('CHUNKS_DAMAGED', `chunk ${piece.i} goes on beyond the file's end`)
      // What overlaps with the chunks before was checked by its own sum; it is there already.
      const fresh = bytes.subarray(covered - offset)
      if (fresh.length > gatheredBytes - used) await flush(file)
      if (fresh.length > gatheredBytes) await writeWhole(file, fresh, covered)
      else used += fresh.copy(gathered, used)
      covered += fresh.length
    },
    async finish(file) {
      await flush(file)
      if (covered < head.bytes)
        throw fault('CHUNKS_INCOMPLETE', `bytes ${covered} to ${head.bytes} are in no chunk`)
    },
    leave: async () => {},
  }
}
