import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultListener, defaultService } from '@drover/balancer'
import { createGroupSpec } from '@drover/supervisor'
import { type Loaded, loadOptions } from '../../src/config/load.ts'
import { toGroups } from '../../src/config/to-groups.ts'
import { toModel } from '../../src/config/to-model.ts'

const context = { stickySecret: 'a-secret-of-some-length', manageAddress: undefined }

function load(config: unknown): Loaded {
  return loadOptions(config, '/srv/app', (key) => key)
}

test('a service of which nothing is said has the defaults of the parts', () => {
  const loaded = load({ services: { web: { command: 'node server.js' } } })

  const [group] = toGroups(loaded)
  const [service] = toModel(loaded, context).services
  const [listener] = toModel(loaded, context).listeners

  const runtime = { kind: 'process', command: ['node', 'server.js'], cwd: '/srv/app' } as const
  assert.deepEqual(group, createGroupSpec({ name: 'web', runtime }))
  assert.deepEqual(service, defaultService('web', { expectedReplicas: 3 }))
  const { routes, ...plain } = defaultListener('127.0.0.1-8080', { port: 8080 })
  assert.deepEqual({ ...listener, routes }, { ...plain, routes })
  assert.deepEqual(listener?.routes, [
    { name: 'rest', match: { pathPrefix: '/' }, action: { kind: 'service', service: 'web' } },
  ])
})

test('durations, sizes, folders and files become what the parts take', () => {
  const loaded = load({
    services: {
      web: {
        command: ['x', '{port}'],
        cwd: 'server',
        env: { DEBUG: true, LEVEL: 3 },
        stop: { drain: '2m', timeout: '500ms', signal: 'SIGINT' },
        logSize: '1MiB',
        health: { path: '/ok', interval: '1.5s', status: '200-299, 401' },
      },
    },
    listeners: [
      {
        address: ':8443',
        service: 'web',
        tls: { certificates: [{ certificate: 'tls/c.pem', key: '/etc/k.pem' }] },
        limits: { head: '8KiB' },
        timeouts: { idle: '3s' },
      },
    ],
    accessLog: 'access.log',
  })

  const [group] = toGroups(loaded)
  const model = toModel(loaded, context)

  assert.deepEqual(group?.runtime, {
    kind: 'process',
    command: ['x', '{port}'],
    cwd: '/srv/app/server',
  })
  assert.deepEqual(group?.env, { DEBUG: 'true', LEVEL: '3' })
  assert.deepEqual(
    [group?.drainTimeoutMs, group?.stopTimeoutMs, group?.stopSignal],
    [120_000, 500, 'SIGINT'],
  )
  assert.equal(group?.logBytesMax, 1_048_576)
  assert.deepEqual(model.services[0]?.health.check.statuses, ['200-299', '401'])
  assert.equal(model.services[0]?.health.check.intervalMs, 1_500)
  const [listener] = model.listeners
  assert.deepEqual([listener?.host, listener?.port], ['0.0.0.0', 8443])
  assert.deepEqual(listener?.tls?.certificates, [
    { certificateFile: '/srv/app/tls/c.pem', keyFile: '/etc/k.pem' },
  ])
  assert.equal(listener?.limits.headBytesMax, 8_192)
  assert.equal(listener?.timeouts.idleMs, 3_000)
  assert.equal(model.accessLogFile, '/srv/app/access.log')
})

test('what is not said follows from what is', () => {
  const command = 'x'
  const { services } = toModel(
    load({
      services: {
        ring: { command, policy: 'slot-ring' },
        hashed: { command, policy: 'maglev' },
        named: { command, health: { path: '/up' } },
        socket: { command },
      },
      listeners: [
        { address: ':1', routes: [{ path: '/', service: 'ring' }] },
        { address: ':2', protocol: 'tcp', service: 'socket' },
      ],
    }),
    context,
  )
  const of = (name: string) => services.find((service) => service.name === name)

  assert.deepEqual(of('ring')?.policy.key, { from: 'request-id' })
  assert.deepEqual(of('hashed')?.policy.key, { from: 'client' })
  assert.deepEqual(of('named')?.health.check.statuses, ['200-399'])
  assert.deepEqual(of('hashed')?.health.check.statuses, ['200-499'])
  assert.equal(of('socket')?.health.check.kind, 'tcp')
})

test('routes come in order, management before them, the service of the listener last', () => {
  const loaded = load({
    services: { web: { command: 'x' }, api: { command: 'y' } },
    listeners: [
      {
        address: ':80',
        routes: [
          {
            path: '/api',
            host: '*.example.org',
            strip: '/api',
            service: 'api',
            headers: { 'X-A': '*' },
          },
          { exact: '/old', redirect: '/new', status: 308 },
          { path: '/ping', answer: 'pong' },
        ],
        service: 'web',
      },
      { address: ':81', service: 'api' },
    ],
    manage: { service: 'web', path: '/lb' },
  })
  const manageAddress = { host: '127.0.0.1', port: 4000 }

  const { listeners, services } = toModel(loaded, { ...context, manageAddress })

  assert.deepEqual(
    listeners[0]?.routes.map(({ match, action }) => [match.path ?? match.pathPrefix, action.kind]),
    [
      ['/lb/rep', 'service'],
      ['/lb/add', 'service'],
      ['/lb/rm', 'service'],
      ['/api', 'service'],
      ['/old', 'redirect'],
      ['/ping', 'answer'],
      ['/', 'service'],
    ],
  )
  assert.deepEqual(listeners[0]?.routes[3], {
    name: 'route-1',
    match: { hosts: ['*.example.org'], pathPrefix: '/api', headers: { 'x-a': '*' } },
    action: { kind: 'service', service: 'api', stripPrefix: '/api' },
  })
  assert.equal(
    listeners[1]?.routes.length,
    1,
    'the other listener does not reach the managed service',
  )
  assert.deepEqual(services.at(-1)?.addresses, [{ ...manageAddress, weight: 1 }])
  assert.ok(services[0]?.answers.some(({ status }) => status === 404))
  assert.deepEqual(services[1]?.answers, [])
})

test('fixed addresses have their weights, and nothing is run', () => {
  const loaded = load({
    services: {
      web: { addresses: ['10.0.0.1:80', 'db.local:5432'], weights: { 'db.local:5432': 3 } },
    },
  })

  assert.deepEqual(toGroups(loaded), [])
  assert.deepEqual(toModel(loaded, context).services[0]?.addresses, [
    { host: '10.0.0.1', port: 80, name: '10.0.0.1:80', weight: 1 },
    { host: 'db.local', port: 5432, name: 'db.local:5432', weight: 3 },
  ])
})
