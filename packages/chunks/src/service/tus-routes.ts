import { createReadStream } from 'node:fs'
import { Fault } from '@drover/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fault } from '../errors.ts'
import type { Front } from './front.ts'
import { type Checksum, checksumAlgorithms, type TusStore, type TusUpload } from './tus-store.ts'
import { readWish } from './wish.ts'

const version = '1.0.0'
const extensions = 'creation,termination,expiration,checksum,concatenation'
/** The largest upload by tus, in bytes. */
const uploadBytesMax = 2 ** 50
const partsMax = 1_000

type Named = { Params: { id: string } }

/** What the routes of tus need. */
interface TusParts {
  readonly front: Front
  readonly uploads: TusStore
}

/** Adds tus 1.0 (https://tus.io/protocols/resumable-upload) at /files. */
export function addTusRoutes(server: FastifyInstance, parts: TusParts): void {
  const { uploads } = parts
  server.register((tus, _options, done) => {
    tus.addHook('onRequest', async (request, reply) => {
      reply.header('tus-resumable', version)
      if (request.method === 'OPTIONS' || request.headers['tus-resumable'] === version) return
      reply.header('tus-version', version)
      throw fault('TUS_VERSION', `this server speaks tus ${version}`)
    })
    const options = (_request: FastifyRequest, reply: FastifyReply) =>
      reply
        .status(204)
        .header('tus-version', version)
        .header('tus-extension', extensions)
        .header('tus-max-size', uploadBytesMax)
        .header('tus-checksum-algorithm', checksumAlgorithms.join(','))
        .send()
    tus.options('/files', options)
    tus.options('/files/:id', options)
    tus.post('/files', (request, reply) => create(parts, request, reply))
    tus.head<Named>('/files/:id', async ({ params }, reply) => {
      const { upload, offset } = await uploads.find(params.id)
      if (!upload.concat.startsWith('final')) reply.header('upload-offset', offset)
      return describe(reply, upload).header('cache-control', 'no-store').status(200).send()
    })
    tus.patch<Named>('/files/:id', (request, reply) => patch(parts, request, reply))
    tus.delete<Named>('/files/:id', async ({ params }, reply) => {
      await uploads.find(params.id)
      await uploads.remove(params.id)
      return reply.status(204).send()
    })
    done()
  })
}

function describe(reply: FastifyReply, upload: TusUpload): FastifyReply {
  reply.header('upload-length', upload.bytes)
  reply.header('upload-expires', new Date(upload.expiresAtMs).toUTCString())
  if (upload.metadataText !== '') reply.header('upload-metadata', upload.metadataText)
  if (upload.concat !== '') reply.header('upload-concat', upload.concat)
  return reply
}

async function create(
  parts: TusParts,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { uploads } = parts
  const text = String(headers['upload-metadata'] ?? '')
  const metadata = readMetadata(text)
  const concat = String(headers['upload-concat'] ?? '')
  // What is wanted is checked now, not after hours of sending.
  if (concat !== 'partial') readWish(metadata, metadata.filename ?? metadata.name ?? 'upload')
  const isFinal = concat.startsWith('final;')
  const sources = isFinal ? await findParts(uploads, concat) : []
  const bytes = isFinal
    ? sources.reduce((sum, upload) => sum + upload.bytes, 0)
    : readLength(headers['upload-length'])
  const upload = await uploads.create({ bytes, metadata, metadataText: text, concat })
  reply.header('location', `/files/${upload.id}`)
  try {
    if (isFinal) await joinParts(uploads, upload, sources)
    if (isFinal || (bytes === 0 && concat !== 'partial')) await complete(parts, upload, reply)
  } catch (error) {
    await uploads.remove(upload.id)
    throw error
  }
  return describe(reply, upload).status(201).send()
}

function readLength(text: string | string[] | undefined): number {
  const bytes = /^\d{1,16}$/.test(String(text)) ? Number(text) : Number.NaN
  if (Number.isNaN(bytes)) throw fault('UPLOAD_INVALID', 'Upload-Length is missing or no number')
  if (bytes > uploadBytesMax) throw fault('UPLOAD_TOO_LARGE', `over ${uploadBytesMax} bytes`)
  return bytes
}

/** `key base64, key base64`, keys once each. */
function readMetadata(text: string): Record<string, string> {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
  if (text.length > 8_192 || pairs.length > 40)
    throw fault('UPLOAD_INVALID', 'Upload-Metadata is too long')
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', value = ''] = pair.split(' ')
      return [key, Buffer.from(value, 'base64').toString()]
    }),
  )
}

/** Finds the partial uploads of a final one; each must be complete. */
async function findParts(uploads: TusStore, concat: string): Promise<TusUpload[]> {
  const urls = concat.slice('final;'.length).trim().split(/\s+/)
  if (urls.length > partsMax) throw fault('UPLOAD_INVALID', `at most ${partsMax} parts`)
  const found: TusUpload[] = []
  for (const url of urls) {
    const { upload, offset } = await uploads.find(url.split('/').at(-1) ?? '')
    if (upload.concat !== 'partial' || offset !== upload.bytes)
      throw fault('UPLOAD_INVALID', `${url.slice(0, 100)} is no complete partial upload`)
    found.push(upload)
  }
  return found
}

async function joinParts(
  uploads: TusStore,
  target: TusUpload,
  parts: readonly TusUpload[],
): Promise<void> {
  let offset = 0
  for (const { id } of parts) {
    const stream = createReadStream(uploads.dataPath(id), { highWaterMark: 2 ** 20 })
    offset = await uploads.append(target.id, offset, stream, undefined)
  }
  for (const { id } of parts) await uploads.remove(id)
}

async function patch(
  parts: TusParts,
  { params, headers, raw }: FastifyRequest<Named>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { uploads } = parts
  if (headers['content-type'] !== 'application/offset+octet-stream')
    throw new Fault(
      'UPLOAD_INVALID',
      { status: 415, retry: 'never' },
      'a part has the type application/offset+octet-stream',
    )
  const { upload } = await uploads.find(params.id)
  if (upload.concat.startsWith('final'))
    throw new Fault(
      'UPLOAD_INVALID',
      { status: 403, retry: 'never' },
      'a final upload has no parts',
    )
  const offset = Number(headers['upload-offset'] ?? Number.NaN)
  const checksum = readChecksum(headers['upload-checksum'])
  const next = await uploads.append(params.id, offset, raw, checksum)
  reply.header('upload-offset', next)
  reply.header('upload-expires', new Date(upload.expiresAtMs).toUTCString())
  if (next === upload.bytes && upload.concat !== 'partial') await complete(parts, upload, reply)
  return reply.status(204).send()
}

function readChecksum(header: string | string[] | undefined): Checksum | undefined {
  if (header === undefined) return undefined
  const [name = '', value = ''] = String(header).split(' ')
  const algorithm = checksumAlgorithms.find((known) => known === name)
  if (!algorithm)
    throw fault(
      'UPLOAD_INVALID',
      `checksums are ${checksumAlgorithms.join(', ')}, not "${name.slice(0, 20)}"`,
    )
  return { algorithm, digest: Buffer.from(value, 'base64') }
}

/** The upload becomes a request of the same id. */
async function complete(
  { front, uploads }: TusParts,
  { id, metadata }: TusUpload,
  reply: FastifyReply,
): Promise<void> {
  const { wish, form } = readWish(metadata, metadata.filename ?? metadata.name ?? 'upload')
  const request = await front.adopt(id, wish, form, uploads.dataPath(id))
  reply.header('drover-request', `/requests/${request.id}`)
  await uploads.release(id)
}
