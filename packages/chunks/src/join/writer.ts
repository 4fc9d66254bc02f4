import type { FileHandle } from 'node:fs/promises'
import type { ManifestPiece } from './manifest-lines.ts'

/** What puts the bytes of pieces where they belong. */
export interface Writer {
  write(file: FileHandle, piece: ManifestPiece, bytes: Buffer, at: number): Promise<void>
  /** Throws CHUNKS_INCOMPLETE when bytes are missing. */
  finish(file: FileHandle): Promise<void>
  /** Removes what it kept beside the file. */
  leave(): Promise<void>
}
