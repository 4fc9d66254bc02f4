import { type createHttpServer, type Static, Type } from '@drover/kernel'
import { fault } from '../errors.ts'
import { boxSchema, circleSchema, toShape } from './shapes.ts'
import type { StandingFence, StandingFences } from './standing-fences.ts'

const id = Type.String({ minLength: 1, maxLength: 128 })
const newFence = Type.Union([
  Type.Object({ id: Type.Optional(id), circle: circleSchema }),
  Type.Object({ id: Type.Optional(id), box: boxSchema }),
])
const fenceId = Type.Object({ id })

/** Adds the routes that make, list and remove the server's own fences. */
export function addFenceRoutes(
  server: Awaited<ReturnType<typeof createHttpServer>>,
  fences: StandingFences,
): void {
  server.get('/v1/fences', () => ({ fences: fences.list().map(describe) }))

  server.post('/v1/fences', { schema: { body: newFence } }, (request, reply) => {
    const body = request.body as Static<typeof newFence>
    return reply.status(201).send(describe(fences.put(toShape(body), body.id)))
  })

  server.delete('/v1/fences/:id', { schema: { params: fenceId } }, (request, reply) => {
    const { id: name } = request.params as Static<typeof fenceId>
    if (!fences.remove(name)) throw fault('HERD_UNKNOWN', `there is no fence "${name}"`)
    return reply.status(204).send()
  })
}

function describe({ id: name, shape, inside, entered, left }: StandingFence) {
  const where =
    shape.kind === 'box'
      ? { box: shape.box }
      : { circle: { ...shape.center, radiusKm: shape.radiusKm } }
  return { id: name, ...where, inside, entered, left }
}
