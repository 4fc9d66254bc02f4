import { type FileHandle, open } from 'node:fs/promises'
import { fault } from '../errors.ts'
import { writeWhole } from '../files/whole-write.ts'
import type { Pieces } from './piece-list.ts'

/** Pieces with their sums; piece i has crc32[i] and the 32 bytes of sha256 from 32 · i on. */
export interface SealedPieces extends Pieces {
  /** The number of the first piece within the file. */
  readonly first: number
  readonly crc32: Uint32Array
  readonly sha256: Buffer
}

/**
 * A piece in the file of a store, little-endian:
 *
 *   0        8      16      20           52
 *   │ start  │ end  │ crc32 │ sha256     │
 */
export const pieceRecordBytes = 52

const batchPieces = 1_024

/** The pieces of one file, on disk, in their order: memory stays flat however many there are. */
export class PieceStore {
  count: number
  readonly #handle: FileHandle

  private constructor(handle: FileHandle, count: number) {
    this.#handle = handle
    this.count = count
  }

  /** Makes an empty store at `path`. */
  static async create(path: string): Promise<PieceStore> {
    return new PieceStore(await open(path, 'w+', 0o600), 0)
  }

  /** Opens a store to go on after its first `count` pieces; what is behind them is forgotten. */
  static async resume(path: string, count: number): Promise<PieceStore> {
    const handle = await open(path, 'r+')
    await handle.truncate(count * pieceRecordBytes)
    return new PieceStore(handle, count)
  }

  /** Opens a store that is complete. */
  static async open(path: string): Promise<PieceStore> {
    const handle = await open(path, 'r')
    const { size } = await handle.stat()
    if (size % pieceRecordBytes !== 0) {
      await handle.close()
      throw fault('CHUNKS_DAMAGED', `${path} is no whole number of pieces`)
    }
    return new PieceStore(handle, size / pieceRecordBytes)
  }

  /** Adds pieces at the end. */
  async append(pieces: Omit<SealedPieces, 'first'>): Promise<void> {
    const bytes = Buffer.allocUnsafe(pieces.count * pieceRecordBytes)
    for (let index = 0; index < pieces.count; index++) {
      const at = index * pieceRecordBytes
      bytes.writeDoubleLE(pieces.starts[index] as number, at)
      bytes.writeDoubleLE(pieces.ends[index] as number, at + 8)
      bytes.writeUInt32LE(pieces.crc32[index] as number, at + 16)
      pieces.sha256.copy(bytes, at + 20, index * 32, index * 32 + 32)
    }
    await writeWhole(this.#handle, bytes, this.count * pieceRecordBytes)
    this.count += pieces.count
  }

  /** Resolves when all pieces would outlive a loss of power. */
  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  /** Yields the pieces in batches; each is good until the next. */
  async *batches(): AsyncGenerator<SealedPieces> {
    const bytes = Buffer.allocUnsafe(Math.min(batchPieces, this.count) * pieceRecordBytes)
    const batch = {
      starts: new Float64Array(batchPieces),
      ends: new Float64Array(batchPieces),
      crc32: new Uint32Array(batchPieces),
      sha256: Buffer.alloc(batchPieces * 32),
    }
    for (let first = 0; first < this.count; first += batchPieces) {
      const count = Math.min(batchPieces, this.count - first)
      await this.#handle.read(bytes, 0, count * pieceRecordBytes, first * pieceRecordBytes)
      for (let index = 0; index < count; index++) {
        const at = index * pieceRecordBytes
        batch.starts[index] = bytes.readDoubleLE(at)
        batch.ends[index] = bytes.readDoubleLE(at + 8)
        batch.crc32[index] = bytes.readUInt32LE(at + 16)
        bytes.copy(batch.sha256, index * 32, at + 20, at + 52)
      }
      yield { ...batch, first, count }
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
