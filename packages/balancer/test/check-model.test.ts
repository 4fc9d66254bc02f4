import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkModel } from '../src/check-model.ts'
import type { ListenerModel, ServiceModel } from '../src/model.ts'
import { defaultHealth, defaultListener, defaultService } from '../src/options.ts'
import type { RouteAction, RouteMatch } from '../src/plan.ts'

const base = defaultService('web')
const service = (given: Partial<ServiceModel>) => ({
  listeners: [],
  services: [defaultService('web', given)],
  trustedProxies: [],
})
const listener = (given: Partial<ListenerModel>) => ({
  listeners: [defaultListener('front', given)],
  services: [base],
  trustedProxies: [],
})
const route = (match: RouteMatch, action?: RouteAction) =>
  listener({
    routes: [{ name: 'r', match, action: action ?? { kind: 'service', service: 'web' } }],
  })
const checkOf = (given: object) =>
  service({ health: { ...defaultHealth, check: { ...defaultHealth.check, ...given } } })

test('the defaults are a model that can be used', () => {
  checkModel({
    listeners: [
      defaultListener('front', {
        routes: [
          {
            name: 'api',
            match: { hosts: ['*.example.org'], pathPrefix: '/api', headers: { 'x-key': '*' } },
            action: { kind: 'service', service: 'web', stripPrefix: '/api' },
          },
        ],
      }),
      defaultListener('plain', { protocol: 'tcp', service: 'web', host: '::1' }),
    ],
    services: [
      defaultService('web', {
        addresses: [
          { host: '::1', port: 80, weight: 1 },
          { host: 'web.test', port: 80, weight: 0.5 },
        ],
        rateLimit: { perSecond: 10, burst: 20 },
        sticky: { cookie: 'seat', secret: '0123456789abcdef' },
        answers: [{ code: 'NO_REPLICA', with: { status: 503, contentType: 'a/b', body: '' } }],
      }),
    ],
    trustedProxies: ['10.0.0.0/8', '::1', '192.168.1.1/32'],
  })
})

const wrong: [string, Parameters<typeof checkModel>[0], RegExp][] = [
  ['two services of one name', { ...service({}), services: [base, base] }, /service web is there/],
  [
    'a name that could leave a file or a line',
    { ...service({}), services: [defaultService('../x\n')] },
    /service name must be letters/,
  ],
  ['a port that is none', listener({ port: 70_000 }), /listener front port must be a whole number/],
  ['a TCP listener without service', listener({ protocol: 'tcp' }), /TCP and needs a service/],
  [
    'two listeners on one address',
    {
      ...listener({}),
      listeners: ['a', 'b'].map((name) => defaultListener(name, { port: 80 })),
    },
    /listeners a and b both want 127\.0\.0\.1:80/,
  ],
  [
    'a head limit over 16 KiB',
    listener({ limits: { ...defaultListener('x').limits, headBytesMax: 20_000 } }),
    /limits\.headBytesMax must be a whole number from 512 to 16384, not 20000/,
  ],
  ['a service that is not there', route({}, { kind: 'service', service: 'wbe' }), /mean web\?/],
  ['a path without a slash', route({ pathPrefix: 'api' }), /path must be a path .* not "api"/],
  ['a path that ends its line', route({ path: '/a\nb' }), /must be a path/],
  ['a path that ends its word', route({ path: '/a b;' }), /must be a path/],
  ['a host that is none', route({ hosts: ['a b'] }), /host must be a host name/],
  ['a header in upper case', route({ headers: { 'X-Key': '1' } }), /a name in lower case/],
  ['a header value of two lines', route({ headers: { 'x-key': '1\r\n2' } }), /one line/],
  [
    'a redirect that splits the answer',
    route({}, { kind: 'redirect', status: 302, location: '/a\r\nset-cookie: b' }),
    /location must be an address of one line/,
  ],
  ['a network that is none', { ...service({}), trustedProxies: ['10.0.0.0/33'] }, /trustedProx/],
  [
    'a negative weight',
    service({ addresses: [{ host: 'a', port: 1, weight: -1 }] }),
    /weight must/,
  ],
  [
    'an address twice',
    service({
      addresses: [
        { host: 'a', port: 1, weight: 1 },
        { host: 'a', port: 1, weight: 1 },
      ],
    }),
    /has the address a:1 twice/,
  ],
  ['a short secret', service({ sticky: { cookie: 'a', secret: 'short' } }), /at least 16/],
  [
    'an answer for nothing',
    service({ answers: [{ with: { status: 200, contentType: 'a/b', body: '' } }] }),
    /one of code and status/,
  ],
  [
    'an answer for an unknown code',
    service({ answers: [{ code: 'X', with: { status: 200, contentType: 'a/b', body: '' } }] }),
    /unknown code X/,
  ],
  [
    'an unknown policy option',
    service({ policy: { ...base.policy, options: { a: 1 } } }),
    /no option a/,
  ],
  ['a check path with a blank', checkOf({ path: '/a b' }), /check path must be/],
  ['check statuses that are none', checkOf({ statuses: ['2xx'] }), /statuses must be 200 or/],
  ['no statuses at all', checkOf({ statuses: [] }), /no statuses that pass/],
  ['a check without a pause', checkOf({ intervalMs: 0 }), /check\.intervalMs/],
  [
    'a share over 1',
    service({ health: { ...defaultHealth, panicShare: 2 } }),
    /from 0 to 1, not 2/,
  ],
  ['not a number', service({ inFlightMax: Number.NaN }), /inFlightMax .* not NaN/],
]
for (const [what, model, message] of wrong)
  test(`refuses ${what}`, () => {
    assert.throws(() => checkModel(model), { code: 'PLAN_REFUSED', message })
  })
