import { Fault } from '@drover/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fault } from '../../errors.ts'
import type { Front } from '../front.ts'
import { type Adoption, nameOf } from './adoption.ts'
import { readChecksum, readCount, readMetadata, readParts } from './tus-headers.ts'
import { checksumAlgorithms, type TusStore, type TusUpload } from './tus-store.ts'
import { readWish } from './wish.ts'

const version = '1.0.0'
const extensions = 'creation,termination,expiration,checksum,concatenation'

type Named = { Params: { id: string } }

/** What the routes of tus need. */
export interface TusParts {
  readonly front: Front
  readonly uploads: TusStore
  readonly adoption: Adoption
  /** The largest upload, in bytes. */
  readonly uploadBytesMax: number
}

/** Adds tus 1.0 (https://tus.io/protocols/resumable-upload) at /files. */
export function addTusRoutes(server: FastifyInstance, parts: TusParts): void {
  overrideMethods(server)
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
        .header('tus-max-size', parts.uploadBytesMax)
        .header('tus-checksum-algorithm', checksumAlgorithms.join(','))
        .send()
    tus.options('/files', options)
    tus.options('/files/:id', options)
    tus.post('/files', (request, reply) => create(parts, request, reply))
    tus.head<Named>('/files/:id', (request, reply) => tell(parts, request, reply))
    tus.patch<Named>('/files/:id', (request, reply) => patch(parts, request, reply))
    tus.delete<Named>('/files/:id', async ({ params }, reply) => {
      await parts.uploads.find(params.id)
      await parts.uploads.remove(params.id)
      return reply.status(204).send()
    })
    // Only as what X-HTTP-Method-Override makes of it.
    tus.post('/files/:id', () => {
      throw fault('UPLOAD_INVALID', 'POST goes to /files; parts are sent by PATCH')
    })
    done()
  })
}

/** The protocol: a method in X-HTTP-Method-Override takes the place of the actual one. */
function overrideMethods({ server }: FastifyInstance): void {
  server.prependListener('request', (request) => {
    const method = request.headers['x-http-method-override']
    const isOurs = /^\/files(\/|\?|$)/.test(request.url ?? '')
    if (isOurs && typeof method === 'string' && /^(HEAD|PATCH|POST|DELETE|OPTIONS)$/.test(method))
      request.method = method
  })
}

async function tell(
  { uploads, adoption }: TusParts,
  { params }: FastifyRequest<Named>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  reply.header('cache-control', 'no-store')
  const { upload, offset } = await uploads.find(params.id)
  const isFinal = upload.parts !== undefined
  const isOwed = offset === upload.bytes && !upload.isDone && upload.concat !== 'partial'
  const request = isOwed ? await adoption.adopt(upload) : undefined
  if (!isFinal || upload.isDone || request) reply.header('upload-offset', offset)
  return describe(reply, upload).status(200).send()
}

function describe(reply: FastifyReply, upload: TusUpload): FastifyReply {
  reply.header('upload-length', upload.bytes)
  reply.header('upload-expires', new Date(upload.expiresAtMs).toUTCString())
  if (upload.metadataText !== '') reply.header('upload-metadata', upload.metadataText)
  if (upload.concat !== '') reply.header('upload-concat', upload.concat)
  return reply
}

async function create(
  { front, uploads, adoption, uploadBytesMax }: TusParts,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const metadataText = String(headers['upload-metadata'] ?? '')
  const metadata = readMetadata(metadataText)
  const concat = String(headers['upload-concat'] ?? '')
  // What is wanted is checked now, not after hours of sending.
  if (concat !== 'partial') readWish(metadata, nameOf(metadata))
  const sources = await findParts(uploads, concat)
  if (sources && headers['upload-length'] !== undefined)
    throw fault('UPLOAD_INVALID', 'a final upload has no Upload-Length of its own')
  const bytes = sources
    ? sources.reduce((sum, upload) => sum + upload.bytes, 0)
    : readCount('Upload-Length', headers['upload-length'])
  if (bytes > uploadBytesMax) throw fault('UPLOAD_TOO_LARGE', `over ${uploadBytesMax} bytes`)
  if (!sources) front.checkRoom(bytes)
  const upload = await uploads.create({
    ...{ bytes, metadata, metadataText, concat },
    ...(sources ? { parts: sources.map(({ id }) => id) } : {}),
  })
  reply.header('location', `/files/${upload.id}`)
  if (sources || (bytes === 0 && concat !== 'partial')) await settle(adoption, upload, reply)
  return describe(reply, upload).status(201).send()
}

/** Finds the partial uploads of a final one, each complete; undefined when it is none. */
async function findParts(uploads: TusStore, concat: string): Promise<TusUpload[] | undefined> {
  const urls = readParts(concat)
  if (urls === undefined) return undefined
  const found: TusUpload[] = []
  for (const url of urls) {
    const { upload, offset } = await uploads.find(url.split('/').at(-1) ?? '')
    if (upload.concat !== 'partial' || offset !== upload.bytes)
      throw fault('UPLOAD_INVALID', `${url.slice(0, 100)} is no complete partial upload`)
    found.push(upload)
  }
  return found
}

async function patch(
  { uploads, adoption }: TusParts,
  { params, headers, raw }: FastifyRequest<Named>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (headers['content-type'] !== 'application/offset+octet-stream')
    throw refused(415, 'a part has the type application/offset+octet-stream')
  const { upload } = await uploads.find(params.id)
  if (upload.parts) throw refused(403, 'a final upload takes no parts')
  const offset = readCount('Upload-Offset', headers['upload-offset'])
  const checksum = readChecksum(headers['upload-checksum'])
  const next = await uploads.append(params.id, offset, raw, checksum)
  reply.header('upload-offset', next)
  reply.header('upload-expires', new Date(upload.expiresAtMs).toUTCString())
  if (next === upload.bytes && upload.concat !== 'partial') await settle(adoption, upload, reply)
  return reply.status(204).send()
}

/** The status is the protocol's. */
function refused(status: number, message: string): Fault {
  return new Fault('UPLOAD_INVALID', { status, retry: 'never' }, message)
}

async function settle(adoption: Adoption, upload: TusUpload, reply: FastifyReply): Promise<void> {
  const request = await adoption.adopt(upload)
  if (request) reply.header('drover-request', `/requests/${request.id}`)
}
