import { describeError, type Log } from '@drover/kernel'
import type { Front } from '../front.ts'
import type { ChunkRequest } from '../request.ts'
import type { TusStore, TusUpload } from './tus-store.ts'
import { readWish } from './wish.ts'

/** Makes requests of resumable uploads whose bytes are all here; each once, whatever breaks between. */
export class Adoption {
  readonly #front: Front
  readonly #uploads: TusStore
  readonly #log: Log
  readonly #running = new Map<string, Promise<ChunkRequest>>()

  constructor(front: Front, uploads: TusStore, log: Log) {
    this.#front = front
    this.#uploads = uploads
    this.#log = log
  }

  /**
   * Resolves to the request of a complete upload, which has the same id; to undefined when there is no
   * place for it now. Then it is tried again by `catchUp`.
   */
  async adopt(upload: TusUpload): Promise<ChunkRequest | undefined> {
    const running = this.#running.get(upload.id) ?? this.#adopt(upload)
    this.#running.set(upload.id, running)
    try {
      return await running
    } catch (error) {
      this.#log.warn({ cause: describeError(error), upload: upload.id }, 'an upload waits')
      return undefined
    } finally {
      this.#running.delete(upload.id)
    }
  }

  async #adopt(upload: TusUpload): Promise<ChunkRequest> {
    const { id, bytes, metadata } = upload
    const { wish, form } = readWish(metadata, nameOf(metadata))
    const paths = this.#uploads.pathsOf(upload)
    const request = await this.#front.adopt({ id, paths, bytes }, wish, form)
    await this.#uploads.finish(upload)
    return request
  }

  /** Adopts what was left: the last run ended between the last byte and the request. */
  async catchUp(): Promise<void> {
    for (const upload of await this.#uploads.complete()) await this.adopt(upload)
  }
}

/** What the metadata of an upload calls its file. */
export function nameOf(metadata: TusUpload['metadata']): string {
  return metadata.filename ?? metadata.name ?? 'upload'
}
