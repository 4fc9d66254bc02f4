import { type FileHandle, open, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { writeBlocks } from '../files/whole-write.ts'
import { type FileSource, openSource } from '../source/file-source.ts'
import { PieceList } from './piece-list.ts'

/** Takes the bytes of groups as they come: those of one group are put one after the other. */
export interface Groups {
  /** Adds `bytes` from `start` to `end` to a group; they are copied. */
  append(group: number, bytes: Uint8Array, start: number, end: number): void
}

const blockBytes = 16 * 1_024

interface Group {
  block: Buffer
  used: number
  full: Buffer[]
  bytes: number
  file: FileHandle | undefined
}

/** Groups as files of a folder, one each; what is not written yet waits in memory for `drain`. */
export class SpooledGroups implements Groups {
  readonly #folder: string
  readonly #groups: readonly Group[]

  constructor(folder: string, count: number) {
    this.#folder = folder
    this.#groups = Array.from({ length: count }, () => ({
      block: Buffer.allocUnsafeSlow(blockBytes),
      used: 0,
      full: [],
      bytes: 0,
      file: undefined,
    }))
  }

  append(number: number, bytes: Uint8Array, start: number, end: number): void {
    const group = this.#groups[number]
    if (!group) throw new RangeError(`there is no group ${number}`)
    group.bytes += end - start
    for (let from = start; from < end; ) {
      const count = Math.min(end - from, blockBytes - group.used)
      group.block.set(bytes.subarray(from, from + count), group.used)
      group.used += count
      from += count
      if (group.used < blockBytes) continue
      group.full.push(group.block)
      group.block = Buffer.allocUnsafeSlow(blockBytes)
      group.used = 0
    }
  }

  /** Goes on after the first `lengths` bytes of each group; what is behind them is forgotten. */
  async resume(lengths: readonly number[]): Promise<void> {
    for (const [number, group] of this.#groups.entries()) {
      group.bytes = lengths[number] ?? 0
      await truncate(this.#path(number), group.bytes)
      group.file = await open(this.#path(number), 'a')
    }
  }

  /** Writes what fills whole blocks; call it after each segment, so that memory stays bounded. */
  async drain(): Promise<void> {
    for (const [number, group] of this.#groups.entries())
      if (group.full.length > 0) await this.#write(number, group)
  }

  /** Writes everything, to outlive a loss of power; returns the bytes of each group. */
  async sync(): Promise<readonly number[]> {
    for (const [number, group] of this.#groups.entries()) {
      await this.#write(number, group)
      await group.file?.datasync()
    }
    return this.#groups.map(({ bytes }) => bytes)
  }

  /** Adds `parts` to a group and writes them at once, without a copy. */
  async write(number: number, parts: readonly Uint8Array[]): Promise<void> {
    const group = this.#groups[number]
    if (!group) throw new RangeError(`there is no group ${number}`)
    for (const { length } of parts) group.bytes += length
    await this.#write(number, group, parts)
  }

  async #write(number: number, group: Group, more: readonly Uint8Array[] = []): Promise<void> {
    group.file ??= await open(this.#path(number), 'w', 0o600)
    await writeBlocks(group.file, [...group.full, group.block.subarray(0, group.used), ...more])
    group.full = []
    group.used = 0
  }

  /** Ends all groups; returns them as one source, and each group as a piece of it. */
  async finish(): Promise<{ source: FileSource; pieces: PieceList }> {
    const pieces = new PieceList(this.#groups.length)
    let at = 0
    for (const [number, group] of this.#groups.entries()) {
      await this.#write(number, group)
      pieces.add(at, at + group.bytes)
      at += group.bytes
    }
    await this.close()
    return { source: await openGroups(this.#folder, this.#groups.length), pieces }
  }

  /** Closes the files; safe to call again. */
  async close(): Promise<void> {
    for (const group of this.#groups) {
      await group.file?.close()
      group.file = undefined
    }
  }

  #path(number: number): string {
    return groupPath(this.#folder, number)
  }
}

function groupPath(folder: string, number: number): string {
  return join(folder, `group-${number}`)
}

/** Opens the files of `count` groups as one source, in their order. */
export function openGroups(folder: string, count: number): Promise<FileSource> {
  return openSources(Array.from({ length: count }, (_, number) => groupPath(folder, number)))
}

/** Opens files as one source, in their order. */
export async function openSources(paths: readonly string[]): Promise<FileSource> {
  const sources: FileSource[] = []
  try {
    for (const path of paths) sources.push(await openSource(path))
  } catch (error) {
    for (const source of sources) await source.close()
    throw error
  }
  const ends: number[] = []
  for (const { bytes } of sources) ends.push((ends.at(-1) ?? 0) + bytes)
  return {
    bytes: ends.at(-1) ?? 0,
    async read(target, at) {
      let done = 0
      while (done < target.length) {
        const index = ends.findIndex((end) => end > at + done)
        const source = sources[index]
        if (!source) break
        const start = (ends[index] as number) - source.bytes
        done += await source.read(target.subarray(done), at + done - start)
      }
      return done
    },
    locate(at) {
      const found = ends.findIndex((end) => end > at)
      const index = found < 0 ? sources.length - 1 : found
      const [source, end] = [sources[index], ends[index]]
      if (!source || end === undefined) throw new RangeError('a source of no files')
      return { ...source.locate(at - (end - source.bytes)), end }
    },
    async close() {
      for (const source of sources) await source.close()
    },
  }
}
