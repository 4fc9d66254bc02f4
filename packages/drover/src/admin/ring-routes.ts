import { type PolicyEntry, type PolicyPlan, policies } from '@drover/balancer'
import { type Static, Type } from '@drover/kernel'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import { keyShares, keysSampled } from './key-shares.ts'
import { serviceParams } from './schemas.ts'
import type { RouteParts } from './server.ts'

const share = Type.Number({ minimum: 0, maximum: 1 })

const ringView = Type.Object({
  policy: Type.String(),
  key: Type.String({ description: 'where the key comes from, as drover.yaml has it' }),
  options: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()])),
  hashed: Type.Boolean({ description: 'equal keys go to the same replica' }),
  keysSampled: Type.Integer(),
  replicas: Type.Array(
    Type.Object({
      name: Type.String(),
      weight: Type.Number(),
      share: Type.Number({ description: 'its part of the keys' }),
      arcs: Type.Array(Type.Object({ from: share, length: share }), {
        description: 'its stretches of the ring, as parts of the circle',
      }),
      heirs: Type.Array(Type.Object({ name: Type.String(), share }), {
        description: 'who gets which part of all keys when it leaves',
      }),
      unsettled: Type.Number({ description: 'the part of all keys that moves between the others' }),
    }),
  ),
})

const policyView = Type.Object({
  name: Type.String(),
  meaning: Type.String(),
  hashed: Type.Boolean(),
  options: Type.Array(
    Type.Object({
      name: Type.String(),
      meaning: Type.String(),
      default: Type.Union([Type.Number(), Type.String()]),
      words: Type.Array(Type.String(), { description: 'empty for a number' }),
      least: Type.Optional(Type.Number()),
      most: Type.Optional(Type.Number()),
      whole: Type.Boolean(),
    }),
  ),
})

/** Mounts what tells of policies: which there are, and who has which keys under one that hashes. */
export function mountRingRoutes(server: FastifyInstance, { system }: RouteParts): void {
  const tags = ['services']
  server.get(
    '/v1/policies',
    {
      schema: {
        tags,
        summary: 'Every policy with its options',
        response: { 200: Type.Array(policyView) },
      },
    },
    () => Object.entries(policies).map(([name, entry]) => viewPolicy(name, entry)),
  )
  server.get<{ Params: Static<typeof serviceParams> }>(
    '/v1/services/:service/ring',
    {
      schema: {
        tags,
        summary: 'Which share of the keys each replica has, and what moves when one leaves',
        params: serviceParams,
        response: { 200: ringView },
      },
    },
    async ({ params }) => {
      const { services } = await system.balancer.status()
      const service = services.find(({ name }) => name === params.service)
      if (!service) throw fault('UNKNOWN_SERVICE', `no service is called "${params.service}"`)
      const { policyPlan, replicas } = service
      return {
        policy: policyPlan.name,
        key: keyText(policyPlan.key),
        options: policyPlan.options,
        hashed: policies[policyPlan.name].hashed,
        keysSampled,
        replicas: keyShares(policyPlan, replicas),
      }
    },
  )
}

function viewPolicy(name: string, { meaning, hashed, options }: PolicyEntry) {
  return {
    ...{ name, meaning, hashed },
    options: Object.entries(options).map(([option, entry]) => ({
      ...{ name: option, meaning: entry.meaning, default: entry.default },
      ...(entry.kind === 'word'
        ? { words: entry.words, whole: false }
        : { words: [], least: entry.least, most: entry.most, whole: entry.whole }),
    })),
  }
}

function keyText(key: PolicyPlan['key']): string {
  return 'name' in key ? `${key.from}:${key.name}` : key.from
}
