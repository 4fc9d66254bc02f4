import assert from 'node:assert/strict'
import { test } from 'node:test'
import { optionOf, toConfig } from '../../src/commands/balance-config.ts'
import { knobs } from '../../src/commands/knobs.ts'
import { loadOptions } from '../../src/config/load.ts'

test('a command alone is one service behind the usual address', () => {
  assert.deepEqual(toConfig({}, ['node', 'server.js']), {
    services: { web: { command: ['node', 'server.js'] } },
    listeners: [{ address: '127.0.0.1:8080', service: 'web' }],
  })
})

test('every option goes where its knob says, and the result fits the schema', () => {
  const given = {
    name: 'shop',
    listen: [':80', ':81'],
    tlsCert: 'cert.pem',
    tlsKey: 'key.pem',
    replicas: '4',
    env: ['A=1', 'B=x=y'],
    policy: 'ring',
    policyOption: ['virtualNodes=50'],
    key: 'header:X-User',
    health: '/healthz',
    rate: '5',
    min: '2',
    max: '6',
    grace: '1s',
    admin: 'off',
  }

  const { config } = loadOptions(toConfig(given, ['x']), '/', optionOf)

  const { shop } = config.services
  assert.equal(shop?.replicas, 4)
  assert.deepEqual(shop?.env, { A: '1', B: 'x=y' })
  assert.deepEqual(
    [shop?.policy, shop?.policyOptions, shop?.key],
    ['ring', { virtualNodes: 50 }, 'header:X-User'],
  )
  assert.equal(shop?.health.path, '/healthz')
  assert.deepEqual(shop?.rateLimit, { perSecond: 5, burst: 20 })
  assert.deepEqual([shop?.autoscale?.min, shop?.autoscale?.max], [2, 6])
  assert.deepEqual(
    config.listeners.map(({ address, service }) => [address, service]),
    [
      [':80', 'shop'],
      [':81', 'shop'],
    ],
  )
  assert.deepEqual(config.listeners[1]?.tls?.certificates, [
    { names: [], certificate: 'cert.pem', key: 'key.pem' },
  ])
  assert.deepEqual([config.door.grace, config.admin.address], ['1s', 'off'])
})

test('tcp checks by connecting, and weights go to the first replicas or addresses', () => {
  const own = toConfig({ health: 'tcp', tcp: true, weights: '8,1' }, ['x']) as unknown as Configured
  const fixed = toConfig({ to: ['a:1', 'b:2'], weights: '3,1' }, []) as unknown as Configured

  assert.deepEqual(own.services.web.health, { check: 'tcp' })
  assert.deepEqual(own.services.web.weights, { 'Server 1': 8, 'Server 2': 1 })
  assert.equal(own.listeners[0]?.protocol, 'tcp')
  assert.deepEqual(fixed.services.web.weights, { 'a:1': 3, 'b:2': 1 })
})

interface Configured {
  services: { web: { health?: unknown; weights?: unknown } }
  listeners: { protocol?: string }[]
}

test('a refusal names the option that was typed', () => {
  for (const { key, flags } of knobs) {
    const full = key.replace(/^service/, 'services.web').replace(/^listener\./, 'listeners.0.')
    const name = /--[a-z-]+/.exec(flags)?.[0]
    assert.equal(optionOf(full), name, key)
  }
  assert.equal(optionOf('services.web.policyOptions.slots'), '--policy-option')
  assert.equal(optionOf('listeners.0.address'), '--listen')
  assert.equal(optionOf('services.Web'), '--name')
})

test('a refusal names the option also where the key is the name of a replica', () => {
  const given = toConfig({ weights: '1,x', manage: 'lb' }, ['y'])

  assert.throws(() => loadOptions(given, '/', optionOf), {
    code: 'USAGE',
    message: [
      '--weights: expected a number above 0 and at most 1000, not "x"',
      '--manage: expected a text (a path such as / or /lb: what /rep, /add and /rm lie below on the front door), not "lb"',
    ].join('\n'),
  })
})
