import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openSources } from '../pieces/groups.ts'
import { type FileSource, openSource } from '../source/file-source.ts'
import { type Checkpoint, checkpointName, readCheckpoint } from './checkpoint.ts'
import type { ChunkRequest } from './request.ts'

const fileName = 'request.json'

/** Requests and their files, a folder each. */
export class RequestStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Returns where the files of a request are; ids are ours and safe in a path. */
  folderOf(id: string): string {
    return join(this.#folder, id)
  }

  /** Returns where the upload is, or its part of that number. */
  inputPath(id: string, number = 0): string {
    return join(this.folderOf(id), number === 0 ? 'input' : `input-${number}`)
  }

  /** Makes the folder of a new request. */
  async make(id: string): Promise<string> {
    await mkdir(this.folderOf(id), { recursive: true, mode: 0o700 })
    return this.folderOf(id)
  }

  /** Opens the upload of a request as one source. */
  openInput({ id, inputs }: ChunkRequest): Promise<FileSource> {
    if (inputs === 1) return openSource(this.inputPath(id))
    return openSources(Array.from({ length: inputs }, (_, number) => this.inputPath(id, number)))
  }

  /** Writes a request whole or not at all. */
  async save(request: ChunkRequest): Promise<void> {
    const path = join(this.folderOf(request.id), fileName)
    await writeFile(`${path}.new`, JSON.stringify(request), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  async remove(id: string): Promise<void> {
    await rm(this.folderOf(id), { recursive: true, force: true })
  }

  /** Returns all requests in order, and removes folders that were never completed. */
  async load(): Promise<ChunkRequest[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const found: ChunkRequest[] = []
    for (const id of await readdir(this.#folder)) {
      const request = await this.#read(id)
      if (request === undefined || request.state === 'cancelled') await this.remove(id)
      else found.push(request)
    }
    return found.sort((one, other) => one.sequence - other.sequence)
  }

  async #read(id: string): Promise<ChunkRequest | undefined> {
    try {
      return JSON.parse(await readFile(join(this.folderOf(id), fileName), 'utf8')) as ChunkRequest
    } catch {
      // The upload was cut off before there was a request.
      return undefined
    }
  }

  /** Returns where the work of a request can go on; what cannot be used any more is removed. */
  async takeUp(request: ChunkRequest): Promise<Checkpoint | undefined> {
    const checkpoint = await readCheckpoint(this.folderOf(request.id))
    if (checkpoint === undefined) await this.clean(request)
    return checkpoint
  }

  /** Removes everything but the upload: what a run left that was cut off. */
  async clean({ id, inputs }: ChunkRequest): Promise<void> {
    const kept = new Set([fileName])
    for (let number = 0; number < inputs; number++)
      kept.add(number === 0 ? 'input' : `input-${number}`)
    for (const name of await readdir(this.folderOf(id)))
      if (!kept.has(name)) await rm(join(this.folderOf(id), name), { recursive: true, force: true })
  }

  /** Removes all files but what says that the request was there. */
  async empty({ id }: ChunkRequest): Promise<void> {
    for (const name of await readdir(this.folderOf(id)))
      if (name !== fileName) await rm(join(this.folderOf(id), name), { force: true })
  }

  /** Ends the possibility of going on from a checkpoint. */
  async dropCheckpoint(id: string): Promise<void> {
    await rm(join(this.folderOf(id), checkpointName), { force: true })
  }

  /** Returns how many bytes the files of a request have. */
  async bytesOf(id: string): Promise<number> {
    let bytes = 0
    for (const name of await readdir(this.folderOf(id)))
      bytes += (await stat(join(this.folderOf(id), name))).size
    return bytes
  }
}
