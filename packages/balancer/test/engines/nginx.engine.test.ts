import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNginxEngine } from '../../src/engines/nginx/nginx-engine.ts'
import { policiesOf } from '../../src/engines/unsupported.ts'
import type { ServicePlan } from '../../src/plan.ts'
import { certificateFor } from '../door/tls-plans.ts'
import { foreignSuite } from './foreign-suite.ts'
import { planOf } from './plans.ts'
import { engineSuite } from './suite.ts'

const subject = {
  name: 'nginx',
  create: () => createNginxEngine({ workers: 1 }),
  createWith: (program: string) => createNginxEngine({ program }),
  policies: policiesOf('nginx'),
  closesIdle: true,
} as const

engineSuite(subject)
foreignSuite(subject)

const lacking: [string, Partial<ServicePlan>, RegExp][] = [
  [
    'bounded loads',
    { policy: { name: 'ring', key: { from: 'client' }, options: { epsilon: 0.25 } } },
    /bounded loads .* builtin and haproxy have it/,
  ],
  [
    'sticky sessions',
    { sticky: { cookie: 'seat', secret: '0123456789abcdef' } },
    /sticky sessions, which the engine nginx lacks; builtin and haproxy have it/,
  ],
  [
    'the path in an answer',
    { answers: [{ code: '*', with: { status: 500, contentType: 'a/b', body: '{path}' } }] },
    /an answer that holds \{path\}/,
  ],
  ['answers that fail', { failureStatus: 500 }, /count as failed, .* nginx lacks; builtin has it/],
  ['PROXY protocol out', { sendProxyProtocol: true }, /PROXY protocol v2 out/],
]
for (const [what, service, message] of lacking)
  test(`nginx refuses ${what}, and names who has it`, async () => {
    await assert.rejects(subject.create().start(planOf([], service)), {
      code: 'POLICY_UNSUPPORTED',
      message,
    })
  })

test('nginx refuses several certificates on TCP, of which it would take the first', async () => {
  const certificates = ['one.example', 'two.example'].map((name) => certificateFor([name]))
  const tls = { certificates, http2: false }
  const tcp = { protocol: 'tcp', service: 'web', routes: [], tls } as const
  await assert.rejects(subject.create().start(planOf([], {}, tcp)), {
    code: 'POLICY_UNSUPPORTED',
    message: /several certificates on TCP, .* builtin and haproxy have it/,
  })
})
