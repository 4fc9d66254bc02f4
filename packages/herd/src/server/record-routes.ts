import { type createHttpServer, type Static, Type } from '@drover/kernel'
import { fault } from '../errors.ts'
import { kindMax, kindMin, type RecordMap, type RecordView, valueBytesMax } from './record-map.ts'

const kind = Type.Integer({ minimum: kindMin, maximum: kindMax })
const place = Type.Object({ kind, key: Type.String({ minLength: 1 }) })
const ofKind = Type.Object({ kind })
const listing = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 10_000, default: 100 }),
  from: Type.Integer({ minimum: 0, default: 0 }),
})

/** Adds the routes of the general map: values are bytes, whatever their content type. */
export async function addRecordRoutes(
  server: Awaited<ReturnType<typeof createHttpServer>>,
  records: RecordMap,
): Promise<void> {
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    const options = { parseAs: 'buffer', bodyLimit: valueBytesMax } as const
    scope.addContentTypeParser('*', options, (_request, body, done) => done(null, body))

    scope.get(
      '/v1/records/:kind',
      { schema: { params: ofKind, querystring: listing } },
      (request) => {
        const { limit, from } = request.query as Static<typeof listing>
        return records.list((request.params as Static<typeof ofKind>).kind, limit, from)
      },
    )

    scope.get('/v1/records/:kind/:key', { schema: { params: place } }, (request, reply) => {
      const { kind: number, key } = request.params as Static<typeof place>
      const record = records.get(number, key)
      if (!record) throw fault('HERD_UNKNOWN', `there is no record "${key}" of kind ${number}`)
      return reply
        .headers(headersOf(record))
        .type('application/octet-stream')
        .header('x-content-type-options', 'nosniff')
        .send(record.value)
    })

    scope.put('/v1/records/:kind/:key', { schema: { params: place } }, async (request) => {
      const { kind: number, key } = request.params as Static<typeof place>
      const { body } = request
      return records.put(number, key, Buffer.isBuffer(body) ? body : Buffer.alloc(0))
    })

    scope.delete(
      '/v1/records/:kind/:key',
      { schema: { params: place } },
      async (request, reply) => {
        const { kind: number, key } = request.params as Static<typeof place>
        if (!(await records.remove(number, key)))
          throw fault('HERD_UNKNOWN', `there is no record "${key}" of kind ${number}`)
        return reply.status(204).send()
      },
    )
  })
}

function headersOf({ server, time }: RecordView): Record<string, string> {
  return { etag: `"${time}-${server}"`, 'x-herd-server': server, 'x-herd-time': time }
}
