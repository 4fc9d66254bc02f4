import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fault } from '../../errors.ts'
import type { Front } from '../front.ts'
import type { ChunkRequest } from '../request.ts'
import { sendResult } from '../result-routes.ts'
import { readForm } from './multipart.ts'
import { type Fields, readWish } from './wish.ts'

/** Adds `POST /chunks` (a form or the bare bytes) and `PUT /chunks/NAME`. */
export function addUploadRoutes(server: FastifyInstance, { front }: { front: Front }): void {
  server.post('/chunks', (request, reply) => takeUpload(front, request, reply))
  server.put<{ Params: { '*': string } }>('/chunks/*', (request, reply) =>
    takeUpload(front, request, reply, request.params['*']),
  )
}

/** Answers 202 with the request, or with `wait` its result. */
async function takeUpload(
  front: Front,
  request: FastifyRequest,
  reply: FastifyReply,
  name?: string,
): Promise<FastifyReply> {
  const fields = request.query as Fields
  const isForm = /^multipart\//i.test(request.headers['content-type'] ?? '')
  const taken = isForm
    ? await takeForm(front, request, fields)
    : await takeBytes(front, request, { ...fields, ...(name === undefined ? {} : { name }) })
  if (fields.wait === undefined)
    return reply
      .status(202)
      .header('location', `/requests/${taken.id}`)
      .send(front.board.view(taken.id))
  await waitForEnd(front, taken, reply)
  if (taken.error) throw fault('REQUEST_ENDED', taken.error.message)
  return sendResult(front, taken, request, reply)
}

function takeForm(front: Front, { raw }: FastifyRequest, asked: Fields): Promise<ChunkRequest> {
  return readForm(raw, (stream, fileName, fields) => {
    const { wish, form } = readWish({ ...asked, ...fields }, fileName)
    return front.submit(wish, form, stream)
  })
}

function takeBytes(
  front: Front,
  { raw, headers }: FastifyRequest,
  fields: Fields,
): Promise<ChunkRequest> {
  const packing = headers['content-encoding']
  const input = packing === 'gzip' || packing === 'zstd' ? packing : fields.input
  const { wish, form } = readWish({ ...fields, ...(input ? { input } : {}) }, 'upload')
  const length = headers['content-length']
  return front.submit(wish, form, raw, length === undefined ? undefined : Number(length))
}

/** Waits for the request's end; when the client goes away meanwhile, nobody wants it any more. */
async function waitForEnd(front: Front, { id }: ChunkRequest, reply: FastifyReply): Promise<void> {
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  const leave = () => resolve()
  reply.raw.once('close', leave)
  await Promise.race([front.board.ended(id), gone])
  reply.raw.off('close', leave)
  if (reply.raw.destroyed) await front.cancel(id)
}
