import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultListener } from '../src/options.ts'
import { tryModel } from '../src/try-model.ts'
import { modelOf } from './front-door.ts'

const slotRing = { name: 'slot-ring', key: { from: 'request-id' }, options: {} } as const

test('a good model passes for each engine', async () => {
  for (const engine of ['builtin', 'nginx', 'haproxy'] as const) await tryModel(modelOf(), engine)
})

test('what an engine lacks is found without it', async () => {
  const model = modelOf({ policy: slotRing })

  await tryModel(model, 'builtin')
  for (const engine of ['nginx', 'haproxy'] as const)
    await assert.rejects(tryModel(model, engine), {
      code: 'POLICY_UNSUPPORTED',
      message: new RegExp(`slot-ring, which the engine ${engine} lacks; builtin has it`),
    })
})

test('a value out of its bounds and a certificate that is not there are found', async () => {
  const { timeouts } = modelOf().services[0] ?? assert.fail()
  const hasty = modelOf({ timeouts: { ...timeouts, connectMs: 0 } })
  const certificates = [{ certificateFile: '/none.pem', keyFile: '/none.key' }]
  const secure = {
    ...modelOf(),
    listeners: [defaultListener('front', { tls: { certificates, http2: true } })],
  }

  await assert.rejects(tryModel(hasty, 'builtin'), { code: 'PLAN_REFUSED', message: /connectMs/ })
  await assert.rejects(tryModel(secure, 'builtin'), { code: 'PLAN_REFUSED', message: /none\.pem/ })
})
