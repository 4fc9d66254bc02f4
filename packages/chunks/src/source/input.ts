import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { fault } from '../errors.ts'
import { unknown } from '../way/parse-way.ts'
import { type FileSource, openSource } from './file-source.ts'

export const packings = ['plain', 'gzip', 'zstd'] as const

/** How the input must be unpacked before it is chunked. */
export interface InputForm {
  readonly packing: (typeof packings)[number]
  /** A name of the WHATWG Encoding Standard; what is not UTF-8 becomes UTF-8. */
  readonly encoding: string
}

/** Checks names that a person gave. Throws WAY_UNKNOWN. */
export function parseInput(packing = 'plain', encoding = 'utf-8'): InputForm {
  const found = packings.find((name) => name === packing)
  if (!found) throw unknown('packing', packing.slice(0, 40), packings)
  try {
    return { packing: found, encoding: new TextDecoder(encoding).encoding }
  } catch (cause) {
    throw fault('WAY_UNKNOWN', `no encoding is called "${encoding.slice(0, 40)}"`, { cause })
  }
}

/** Returns the steps that turn the input into what is chunked; none for plain UTF-8. */
export function unpackers({ packing, encoding }: InputForm): Transform[] {
  const steps: Transform[] = []
  if (packing === 'gzip') steps.push(createGunzip())
  if (packing === 'zstd') steps.push(createZstdDecompress())
  if (encoding !== 'utf-8') steps.push(toUtf8(encoding))
  return steps
}

function toUtf8(encoding: string): Transform {
  const decoder = new TextDecoder(encoding, { fatal: true })
  return new Transform({
    transform(bytes: Buffer, _encoding, done) {
      try {
        done(null, Buffer.from(decoder.decode(bytes, { stream: true })))
      } catch (cause) {
        done(fault('NOT_TEXT', `the input is not ${encoding}`, { cause }))
      }
    },
    flush(done) {
      try {
        done(null, Buffer.from(decoder.decode()))
      } catch (cause) {
        done(fault('NOT_TEXT', `the input ends within a character of ${encoding}`, { cause }))
      }
    },
  })
}

/** Names what unpacking complained of: damaged input is the sender's fault, not ours. */
export function namedInput(error: unknown): unknown {
  const { code = '' } = error as { code?: string }
  if (!/^(Z_|ZSTD_|ERR_ZSTD)/.test(code)) return error
  return fault('INPUT_DAMAGED', `the compressed input is damaged: ${(error as Error).message}`, {
    cause: error,
  })
}

/** Opens a file to be chunked; what must be unpacked is written to `folder` first. */
export async function openInput(
  path: string,
  form: InputForm,
  folder: string,
  signal?: AbortSignal,
): Promise<FileSource> {
  const steps = unpackers(form)
  if (steps.length === 0) return openSource(path)
  const target = join(folder, 'unpacked')
  const first: Readable = createReadStream(path)
  try {
    const last = createWriteStream(target, { mode: 0o600 })
    await pipeline([first, ...steps, last], signal ? { signal } : {})
  } catch (error) {
    throw namedInput(error)
  }
  return openSource(target)
}
