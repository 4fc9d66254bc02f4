import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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

  /** Makes the folder of a new request. */
  async make(id: string): Promise<string> {
    await mkdir(this.folderOf(id), { recursive: true, mode: 0o700 })
    return this.folderOf(id)
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
      const text = await readFile(join(this.folderOf(id), fileName), 'utf8').catch(() => undefined)
      if (text === undefined) await this.remove(id)
      else found.push(JSON.parse(text) as ChunkRequest)
    }
    return found.sort((one, other) => one.sequence - other.sequence)
  }

  /** Removes everything but the upload: what a run left that was cut off. */
  async clean(id: string): Promise<void> {
    for (const name of await readdir(this.folderOf(id)))
      if (name !== fileName && name !== 'input')
        await rm(join(this.folderOf(id), name), { recursive: true, force: true })
  }

  /** Returns how many bytes the files of a request have. */
  async bytesOf(id: string): Promise<number> {
    let bytes = 0
    for (const name of await readdir(this.folderOf(id)))
      bytes += (await stat(join(this.folderOf(id), name))).size
    return bytes
  }
}
