import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Busboy, type BusboyConfig, type BusboyHeaders } from '@fastify/busboy'
import { fault } from '../../errors.ts'
import type { Fields } from './wish.ts'

const fieldsMax = 30
const fieldBytesMax = 8_192

/** Takes the file of a form: its stream, its name, and the fields that came before it. */
export type TakeFile<Result> = (stream: Readable, name: string, fields: Fields) => Promise<Result>

/**
 * Reads a form with one file; fields must come before it, because the file is worked on as it comes.
 * Throws UPLOAD_INVALID for a form without a file, with two, or cut short.
 */
export async function readForm<Result>(
  message: IncomingMessage,
  take: TakeFile<Result>,
): Promise<Result> {
  const fields: Record<string, string> = Object.create(null)
  let taken: Promise<Result> | undefined
  let file: Readable | undefined
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  const parser = createParser(message)
  let isRefused = false
  const refuse = (why: string) => {
    isRefused = true
    reject(fault('UPLOAD_INVALID', why))
  }
  parser.on('field', (key: string, value: string, keyIsCut: boolean, valueIsCut: boolean) => {
    if (keyIsCut || valueIsCut) refuse(`a field of the form is over ${fieldBytesMax} bytes`)
    else if (taken !== undefined)
      refuse(`put the field "${key.slice(0, 40)}" before the file, which is worked on as it comes`)
    else fields[key] = value
  })
  for (const limit of ['partsLimit', 'fieldsLimit'])
    parser.on(limit, () => refuse(`the form has over ${fieldsMax} fields`))
  parser.on('file', (_field: string, stream: Readable, name: string) => {
    // Whoever takes it listens later; an error before that would end the process.
    stream.on('error', () => {})
    if (taken !== undefined) refuse('the form has two files; send one')
    if (isRefused) {
      stream.resume()
      return
    }
    file = stream
    taken = take(stream, name || 'upload', fields)
    taken.catch(reject)
  })
  parser.on('finish', resolve).on('error', (cause: Error) => reject(cutShort(cause)))
  const gone = () => parser.destroy(new Error('the connection was closed'))
  message.on('aborted', gone).pipe(parser)
  try {
    await ended
  } catch (error) {
    message.unpipe(parser)
    parser.destroy()
    // The parser forgets the file that it was in the middle of; whoever reads it must be told.
    file?.destroy(error as Error)
    await taken?.catch(() => {})
    throw error
  } finally {
    message.off('aborted', gone)
  }
  if (taken === undefined) throw fault('UPLOAD_INVALID', 'the form has no file')
  return taken
}

function createParser(message: IncomingMessage): InstanceType<typeof Busboy> {
  try {
    const config: BusboyConfig = {
      headers: message.headers as BusboyHeaders,
      limits: {
        fields: fieldsMax,
        fieldSize: fieldBytesMax,
        parts: fieldsMax + 2,
        headerPairs: 32,
      },
    }
    return new Busboy(config)
  } catch (cause) {
    throw fault('UPLOAD_INVALID', 'the form cannot be read', { cause })
  }
}

function cutShort(cause: Error) {
  return fault('UPLOAD_INVALID', 'the form is cut short', { cause })
}
