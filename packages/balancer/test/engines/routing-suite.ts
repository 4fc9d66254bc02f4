import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../until.ts'
import { type Ask, ask, openRaw } from './client.ts'
import { listenerPlan, planOf, webPlan } from './plans.ts'
import { type EngineSubject, plansOf, replicas, run, seen } from './running.ts'

/** Which requests go where, and what replicas are told of them. */
export function routingSuite(subject: EngineSubject): void {
  test('passes requests on, tells the replica who asked, and believes no client', async (t) => {
    const list = await replicas(t, 'a')
    const { port } = await run(t, subject, planOf(plansOf(list)))

    const request = await seen(port, '/x%2Fy/?q=1&r=%20', {
      method: 'POST',
      headers: { 'x-forwarded-for': '6.6.6.6', 'x-mine': 'kept', host: 'shop.test' },
      body: 'hello',
    })

    assert.equal(request.method, 'POST')
    assert.equal(request.url, '/x%2Fy/?q=1&r=%20')
    assert.equal(request.bodyBytes, 5)
    assert.equal(request.headers.host, 'shop.test')
    assert.equal(request.headers['x-mine'], 'kept')
    assert.equal(request.headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(request.headers['x-forwarded-proto'], 'http')
    assert.equal(request.headers['x-forwarded-host'], 'shop.test')
    assert.match(request.headers['x-request-id'] ?? '', /^\S{8,}$/)
    assert.match(request.headers.traceparent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
  })

  test('extends what a trusted proxy told', async (t) => {
    const list = await replicas(t, 'a')
    const plan = { ...planOf(plansOf(list)), trustedProxies: ['127.0.0.0/8'] }
    const { port } = await run(t, subject, plan)

    const { headers } = await seen(port, '/', {
      headers: { 'x-forwarded-for': '9.9.9.9', 'x-forwarded-proto': 'https' },
    })

    assert.equal(headers['x-forwarded-for'], '9.9.9.9, 127.0.0.1')
    assert.equal(headers['x-forwarded-proto'], 'https')
  })

  test('takes the first route that fits host, path, method and header', async (t) => {
    const [one, two] = await replicas(t, 'one', 'two')
    assert.ok(one && two)
    const services = [webPlan([one.plan]), { ...webPlan([two.plan]), name: 'two' }]
    const to = (service: string) => ({ kind: 'service', service }) as const
    const routes = [
      { name: 'shop', match: { hosts: ['*.shop.test'] }, action: to('two') },
      {
        name: 'api',
        match: { pathPrefix: '/a.pi' },
        action: { ...to('two'), stripPrefix: '/a.pi' },
      },
      { name: 'exact', match: { path: '/just"this' }, action: to('two') },
      { name: 'put', match: { methods: ['PUT', 'PATCH'], pathPrefix: '/p' }, action: to('two') },
      { name: 'key', match: { headers: { 'x-key': 'a b' } }, action: to('two') },
      { name: 'any', match: { headers: { 'x-any': '*' } }, action: to('two') },
      { name: 'rest', match: { pathPrefix: '/rest/' }, action: to('web') },
    ]
    const listeners = [listenerPlan({ routes })]
    const { port } = await run(t, subject, { listeners, services, trustedProxies: [] })
    const who = async (path: string, how: Ask = {}) => {
      const { status, body } = await ask(port, path, how)
      return status === 200 ? JSON.parse(body).name : status
    }

    assert.equal(await who('/', { headers: { host: 'a.SHOP.test:80' } }), 'two')
    assert.equal(await who('/', { headers: { host: 'shop.test' } }), 404)
    assert.equal(await who('/a.pi/x'), 'two')
    assert.equal(await who('/a.pi'), 'two')
    assert.equal(await who('/a.pix'), 404)
    assert.equal(await who('/aXpi'), 404)
    assert.equal(await who('/just"this'), 'two')
    assert.equal(await who('/just"this/not'), 404)
    assert.equal(await who('/p/q', { method: 'PUT' }), 'two')
    assert.equal(await who('/p/q'), 404)
    assert.equal(await who('/', { headers: { 'x-key': 'a b' } }), 'two')
    assert.equal(await who('/', { headers: { 'x-key': 'a' } }), 404)
    assert.equal(await who('/', { headers: { 'x-any': '0' } }), 'two')
    assert.equal(await who('/rest/a'), 'one')
    assert.equal((await seen(port, '/a.pi/x/y?q=1')).url, '/x/y?q=1')
    assert.equal((await seen(port, '/a.pi?q=1')).url, '/?q=1')
  })

  test('answers by itself: fixed answers, redirects, no route', async (t) => {
    const body = '{"costs":"$5 \\ \\"five\\" 100%"}\n{host}'
    const listener = listenerPlan({
      routes: [
        {
          name: 'fixed',
          match: { path: '/fixed' },
          action: { kind: 'answer', status: 203, contentType: 'application/json', body },
        },
        {
          name: 'moved',
          match: { pathPrefix: '/old' },
          action: { kind: 'redirect', status: 308, location: 'https://{host}/new{path}{query}#$1' },
        },
      ],
    })
    const plan = { listeners: [listener], services: [], trustedProxies: [] }
    const { port } = await run(t, subject, plan)

    const fixed = await ask(port, '/fixed')
    const moved = await ask(port, '/old/x?a=%20b&c', { headers: { host: 'shop.test' } })
    const none = await ask(port, '/other')

    assert.equal(fixed.status, 203)
    assert.equal(fixed.body, body)
    assert.match(String(fixed.headers['content-type']), /^application\/json/)
    assert.equal(moved.status, 308)
    assert.equal(moved.headers.location, 'https://shop.test/new/old/x?a=%20b&c#$1')
    assert.equal(none.status, 404)
    assert.equal(JSON.parse(none.body).code, 'NO_ROUTE')
  })

  test('streams bodies both ways, whole', async (t) => {
    const list = await replicas(t, 'a')
    const { port } = await run(t, subject, planOf(plansOf(list)))

    const up = await seen(port, '/', { method: 'PUT', body: Buffer.alloc(3_000_000, 'x') })
    const down = await ask(port, '/big')

    assert.equal(up.bodyBytes, 3_000_000)
    assert.equal(down.body.length, 5_000_000)
  })

  test('upgrades connections, which outlive a change of the plan', async (t) => {
    const [one, two] = await replicas(t, 'one', 'two')
    assert.ok(one && two)
    const { engine, port } = await run(t, subject, planOf([one.plan]))
    const raw = await openRaw(
      port,
      'GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n',
    )
    await until('the upgrade', () => raw.text.includes('\r\n\r\n'))
    assert.match(raw.text, /^HTTP\/1\.1 101 /)

    await engine.apply(planOf([two.plan]))
    raw.socket.write('still here')

    await until('the echo', () => raw.text.endsWith('still here'))
    assert.equal((await seen(port, '/')).name, 'two')
    raw.socket.destroy()
  })
}
