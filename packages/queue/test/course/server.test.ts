import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startCourse } from './course-harness.ts'

const ok = (message: unknown) => [200, JSON.stringify({ message, status: 'success' })]
const no = (message: string) => [400, JSON.stringify({ message, status: 'failure' })]

test('brokers are listed, added, tested and removed', async (context) => {
  const { ask } = await startCourse(context)

  assert.deepEqual(await ask('/brokers'), [200, '{"message":["broker0"],"status":"success"}'])
  assert.deepEqual(await ask('/brokers/add?broker_name=broker1'), [
    200,
    '{"message":"successfully added broker1","status":"success"}',
  ])
  assert.deepEqual(await ask('/brokers/add?broker_name=broker1'), no('broker1 already exist'))
  assert.deepEqual(await ask('/brokers'), ok(['broker0', 'broker1']))
  const [status, tested] = await ask('/brokers/test?broker_name=broker1')
  assert.equal(status, 200)
  assert.match(JSON.parse(tested).message, /All test cases are passed/)
  assert.deepEqual(await ask('/brokers/rm?broker_name=broker1'), ok('Removed broker1'))
  assert.deepEqual(await ask('/brokers/rm?broker_name=broker1'), no('broker1 does not exist'))
  assert.deepEqual(await ask('/brokers/test?broker_name=broker1'), no('broker1 does not exist'))
})

test('topics are made with their partitions, and listed with the broker of each', async (context) => {
  const { ask, askReadOnly } = await startCourse(context)

  assert.deepEqual(await ask('/topics'), [200, '{"message":{},"status":"success"}'])
  assert.deepEqual(await ask('/topics/add', { topic: 'T1', part: 'P1' }), [
    200,
    '{"message":"Topic:T1xP1 created successfully","status":"success"}',
  ])
  assert.deepEqual(await ask('/topics'), [
    200,
    '{"message":{"T1":{"P1":"broker0"}},"status":"success"}',
  ])
  assert.deepEqual(await ask('/topics/add', { topic: 'T1', part: 'P1' }), [
    400,
    '{"message":"T1:P1 already exist","status":"failure"}',
  ])
  await ask('/topics/add', { topic: 'T1', part: 'P2' })
  await ask('/topics/add', { topic: 'T2', part: 'P9' })
  const all = ok({ T1: { P1: 'broker0', P2: 'broker0' }, T2: { P9: 'broker0' } })
  assert.deepEqual(await ask('/topics'), all)
  assert.deepEqual(await askReadOnly('/topics'), all)
})

test('a producer with a partition makes it on demand, without one it needs the topic', async (context) => {
  const { ask, queue } = await startCourse(context)

  assert.deepEqual(
    await ask('/producer/register', { topic: 'T1' }),
    no('T1 does not exist thus no partitions are available'),
  )
  assert.deepEqual(await ask('/producer/register', { topic: 'T1', part: 'P1' }), [
    200,
    '{"message":0,"status":"success"}',
  ])
  assert.deepEqual(await ask('/producer/register', { topic: 'T1' }), ok(1))
  assert.deepEqual(await ask('/producer/produce', { producer_id: 0, message: 'one' }), [
    200,
    '{"message":"T1xP1:Success","status":"success"}',
  ])
  assert.deepEqual(
    await ask('/producer/produce', { producer_id: '1', message: 'two' }),
    ok('T1xP1:Success'),
  )
  assert.deepEqual(queue.stored('T1', 0), ['one', 'two'])
})

test('a consumer starts at the end, reads in order, and is told when nothing is there', async (context) => {
  const { ask } = await startCourse(context)
  await ask('/producer/register', { topic: 'T1', part: 'P1' })
  await ask('/producer/produce', { producer_id: 0, message: 'before' })

  assert.deepEqual(
    await ask('/consumer/register', { topic: 'T3', part: 'P1' }),
    no('T3:P1 does not exist, thus can not register as consumer'),
  )
  assert.deepEqual(
    await ask('/consumer/register', { topic: 'T3' }),
    no('T3 does not exist, thus can not register as consumer'),
  )
  assert.deepEqual(await ask('/consumer/register', { topic: 'T1', part: 'P1' }), ok(0))
  assert.deepEqual(await ask('/size?consumer_id=0'), [
    200,
    '{"message":0,"note":"","status":"success"}',
  ])
  assert.deepEqual(await ask('/consumer/consume?consumer_id=0'), [
    400,
    '{"message":"Empty logs for Comsumer:0 for Topic:T1xP1","topic":"T1:P1","status":"failure"}',
  ])
  await ask('/producer/produce', { producer_id: 0, message: 'MSG "1" ü' })
  await ask('/producer/produce', { producer_id: 0, message: '' })
  assert.deepEqual(await ask('/size?consumer_id=0'), [
    200,
    '{"message":2,"note":"","status":"success"}',
  ])
  assert.deepEqual(await ask('/consumer/consume?consumer_id=0'), [
    200,
    '{"message":"MSG \\"1\\" ü","topic":"T1:P1","status":"success"}',
  ])
  assert.deepEqual(await ask('/consumer/consume?consumer_id=0'), [
    200,
    '{"message":"","topic":"T1:P1","status":"success"}',
  ])
  assert.deepEqual(
    (await ask('/size?consumer_id=0'))[1],
    '{"message":0,"note":"","status":"success"}',
  )
})

test('without a partition they take turns in the order of creation, moving at each call', async (context) => {
  const { ask, askReadOnly, queue } = await startCourse(context)
  for (const part of ['P2', 'P1', 'P3']) await ask('/topics/add', { topic: 'T1', part })
  await ask('/producer/register', { topic: 'T1' })
  await askReadOnly('/consumer/register', { topic: 'T1' })
  const topicsHeard = async (count: number) => {
    const heard: string[] = []
    for (let call = 0; call < count; call++) {
      const [, text] = await askReadOnly('/consumer/consume?consumer_id=0')
      const { topic, message } = JSON.parse(text)
      heard.push(`${topic} ${message}`)
    }
    return heard
  }

  const [first] = await topicsHeard(1)
  for (const message of ['a', 'b', 'c', 'd'])
    await ask('/producer/produce', { producer_id: 0, message })

  assert.equal(first, 'T1:P2 Empty logs for Comsumer:0 for Topic:T1xP2')
  assert.deepEqual(
    [0, 1, 2].map((partition) => queue.stored('T1', partition)),
    [['a', 'd'], ['b'], ['c']],
  )
  assert.deepEqual(await topicsHeard(5), [
    'T1:P1 b',
    'T1:P3 c',
    'T1:P2 a',
    'T1:P1 Empty logs for Comsumer:0 for Topic:T1xP1',
    'T1:P3 Empty logs for Comsumer:0 for Topic:T1xP3',
  ])
  assert.deepEqual(await topicsHeard(1), ['T1:P2 d'])
})

test('ids, turns, positions and topics survive a restart', async (context) => {
  const { ask, restart } = await startCourse(context)
  for (const part of ['P1', 'P2']) await ask('/topics/add', { topic: 'T1', part })
  await ask('/producer/register', { topic: 'T1' })
  await ask('/consumer/register', { topic: 'T1' })
  await ask('/consumer/register', { topic: 'T1', part: 'P2' })
  for (const message of ['a', 'b', 'c']) await ask('/producer/produce', { producer_id: 0, message })
  await ask('/consumer/consume?consumer_id=0')

  await restart()

  assert.deepEqual(
    await ask('/producer/produce', { producer_id: 0, message: 'd' }),
    ok('T1xP2:Success'),
  )
  assert.deepEqual(await ask('/producer/register', { topic: 'T1' }), ok(1))
  assert.deepEqual(await ask('/consumer/register', { topic: 'T1' }), ok(2))
  const heard: string[] = []
  for (const id of [0, 0, 0, 1, 1]) {
    const [, text] = await ask(`/consumer/consume?consumer_id=${id}`)
    heard.push(JSON.parse(text).message)
  }
  assert.deepEqual(heard, ['b', 'c', 'd', 'b', 'd'])
})

test('two requests at once never get the same message', async (context) => {
  const { ask } = await startCourse(context)
  await ask('/producer/register', { topic: 'T1', part: 'P1' })
  await ask('/consumer/register', { topic: 'T1', part: 'P1' })
  const wanted = Array.from({ length: 40 }, (_, index) => `m${index}`)
  for (const message of wanted) await ask('/producer/produce', { producer_id: 0, message })

  const answers = await Promise.all(wanted.map(() => ask('/consumer/consume?consumer_id=0')))

  const heard = answers.map(([, text]) => JSON.parse(text).message as string)
  assert.deepEqual(heard.sort(), wanted.sort())
})

test('the read-only manager answers what changes no broker, topic or message, and refuses the rest', async (context) => {
  const { ask, askReadOnly, queue } = await startCourse(context)
  await ask('/producer/register', { topic: 'T1', part: 'P1' })

  assert.deepEqual(await askReadOnly('/brokers'), ok(['broker0']))
  assert.deepEqual(await askReadOnly('/consumer/register', { topic: 'T1', part: 'P1' }), ok(0))
  assert.equal((await askReadOnly('/size?consumer_id=0'))[0], 200)
  const refused = (what: string) => no(`this manager is read-only: send ${what} to the primary`)
  for (const path of ['/brokers/add', '/brokers/rm', '/brokers/test'])
    assert.deepEqual(await askReadOnly(`${path}?broker_name=broker0`), refused(`GET ${path}`))
  for (const path of ['/topics/add', '/producer/register', '/producer/produce'])
    assert.deepEqual(await askReadOnly(path, { topic: 'T2', part: 'P1' }), refused(`POST ${path}`))
  assert.deepEqual(await ask('/brokers'), ok(['broker0']))
  assert.deepEqual(queue.stored('T1', 0), [])
})

test('with all brokers the topics are gone, and whoever was registered is told', async (context) => {
  const { ask, restart } = await startCourse(context)
  await ask('/brokers/add?broker_name=broker1')
  await ask('/producer/register', { topic: 'T1', part: 'P1' })
  await ask('/consumer/register', { topic: 'T1', part: 'P1' })

  assert.deepEqual(await ask('/brokers/rm?broker_name=all'), ok('Removed all brokers'))

  const told = async () => {
    assert.deepEqual(
      await ask('/producer/produce', { producer_id: 0, message: 'x' }),
      no('T1:P1 does not exist, thus can not produce'),
    )
    assert.deepEqual(await ask('/consumer/consume?consumer_id=0'), [
      400,
      '{"message":"T1:P1 does not exist, thus can not consume","topic":"T1:P1","status":"failure"}',
    ])
    assert.deepEqual(await ask('/size?consumer_id=0'), [
      200,
      '{"message":0,"note":"T1:P1 does not exist, invalid size\\n","status":"success"}',
    ])
  }
  await told()
  assert.deepEqual(await ask('/brokers'), ok([]))
  assert.deepEqual(await ask('/topics'), ok({}))
  await ask('/brokers/add?broker_name=broker2')
  await ask('/topics/add', { topic: 'T1', part: 'P1' })
  await told()
  await restart()
  await told()
  assert.deepEqual(await ask('/topics'), ok({ T1: { P1: 'broker2' } }))
})

test('topics of others keep the last broker', async (context) => {
  const { ask, queue } = await startCourse(context)
  await queue.engine.createTopic('orders', { partitions: 1 })
  await ask('/topics/add', { topic: 'T1', part: 'P1' })

  const [status] = await ask('/brokers/rm?broker_name=all')

  assert.equal(status, 400)
  assert.deepEqual(await ask('/topics'), ok({ T1: { P1: 'broker0' } }))
})

test('names that the course forbids are refused, and nothing is made', async (context) => {
  const { ask, queue } = await startCourse(context)
  const bad = ['T@1', 'Tx', 'T|1', 'T-1', 'T*', 'T:1', 'subl', 'mypubl', '', ' ', '../T', 'T/1']
  bad.push('T'.repeat(101), 'T\n1', 'é')

  for (const name of bad) {
    for (const body of [
      { topic: name, part: 'P1' },
      { topic: 'T1', part: name },
    ])
      for (const path of ['/topics/add', '/producer/register', '/consumer/register']) {
        const [status, text] = await ask(path, body)
        assert.equal(status, 400, `${path} ${JSON.stringify(body)}`)
        assert.match(JSON.parse(text).message, /is not allowed/)
      }
  }
  for (const name of ['server1', 'broker@1', 'brokerx', 'broker-1', 'broker1/..', ''])
    assert.equal((await ask(`/brokers/add?broker_name=${encodeURIComponent(name)}`))[0], 400, name)

  assert.deepEqual(await queue.engine.topics(), [])
  assert.deepEqual(await ask('/brokers'), ok(['broker0']))
})

test('what has the wrong form is refused in the shape of the course, and nothing is stored', async (context) => {
  const { ask, queue } = await startCourse(context)
  await ask('/producer/register', { topic: 'T1', part: 'P1' })
  await ask('/consumer/register', { topic: 'T1', part: 'P1' })
  const bodies: [string, unknown, RegExp][] = [
    ['/producer/produce', '{"producer_id":0,"mess', /no JSON/],
    ['/producer/produce', '', /no JSON/],
    ['/producer/produce', '[]', /no JSON object/],
    ['/producer/produce', 'null', /no JSON object/],
    ['/producer/produce', { message: 'x' }, /producer_id is missing/],
    ['/producer/produce', { producer_id: 0 }, /message is missing/],
    ['/producer/produce', { producer_id: 0, message: 7 }, /message must be a text/],
    ['/producer/produce', { producer_id: 0, message: ['x'] }, /message must be a text/],
    ['/producer/produce', '{"producer_id":0,"message":"\\ud800"}', /well-formed/],
    ['/producer/produce', { producer_id: 1.5, message: 'x' }, /whole number/],
    ['/producer/produce', { producer_id: -1, message: 'x' }, /whole number/],
    ['/producer/produce', { producer_id: 'zero', message: 'x' }, /whole number/],
    ['/producer/produce', { producer_id: '', message: 'x' }, /whole number/],
    ['/producer/produce', { producer_id: true, message: 'x' }, /whole number/],
    ['/producer/produce', { producer_id: 1e300, message: 'x' }, /whole number/],
    ['/producer/produce', { producer_id: 9, message: 'x' }, /^Producer:9 does not exist$/],
    ['/producer/produce', { producer_id: 0, message: 'x'.repeat(1_048_577) }, /bytes/],
    ['/producer/produce', { producer_id: 0, message: 'x'.repeat(7_000_000) }, /large/],
    ['/producer/register', { part: 'P1' }, /topic is missing/],
    ['/producer/register', { topic: 5 }, /topic must be a text/],
    ['/topics/add', { topic: 'T9' }, /part is missing/],
    ['/topics/add', { topic: 'T9', part: {} }, /part must be a text/],
    ['/topics/add', '{"__proto__":{"topic":"T9","part":"P1"}}', /topic is missing/],
    ['/consumer/register', { topic: ['T1'] }, /topic must be a text/],
  ]
  for (const [path, body, message] of bodies) {
    const [status, text] = await ask(path, body)
    const answer = JSON.parse(text)
    assert.equal(status, 400, `${path}: ${text}`)
    assert.match(answer.message, message)
    assert.equal(answer.status, 'failure')
  }
  for (const query of [
    '',
    '?consumer_id=',
    '?consumer_id=x',
    '?consumer_id=0&consumer_id=0',
    '?consumer_id=-1',
  ])
    for (const path of ['/consumer/consume', '/size'])
      assert.equal((await ask(path + query))[0], 400, path + query)
  assert.deepEqual(await ask('/consumer/consume?consumer_id=7'), no('Consumer:7 does not exist'))
  assert.deepEqual(await ask('/brokers/add'), no('broker_name is missing'))
  assert.deepEqual(await ask('/nothing'), [
    404,
    '{"message":"no GET /nothing here","status":"failure"}',
  ])

  assert.deepEqual(queue.stored('T1', 0), [])
  assert.deepEqual(JSON.parse((await ask('/topics'))[1]).message, { T1: { P1: 'broker0' } })
})

test('a HEAD consumes nothing, and a page of another site is refused', async (context) => {
  const { ask, api } = await startCourse(context)
  await ask('/producer/register', { topic: 'T1', part: 'P1' })
  await ask('/consumer/register', { topic: 'T1', part: 'P1' })
  await ask('/producer/produce', { producer_id: 0, message: 'kept' })
  const url = `http://${api().primary}/consumer/consume?consumer_id=0`

  const head = await fetch(url, { method: 'HEAD' })
  const foreign = await fetch(url, { headers: { 'sec-fetch-site': 'cross-site' } })

  assert.equal(head.status, 404)
  assert.equal(foreign.status, 400)
  assert.match((await ask('/consumer/consume?consumer_id=0'))[1], /kept/)
})

test('half a request stores nothing', async (context) => {
  const { ask, api, queue } = await startCourse(context)
  await ask('/producer/register', { topic: 'T1', part: 'P1' })
  const [host = '', port] = api().primary.split(':')
  const body = '{"producer_id":0,"message":"whole"}'
  const socket = connect(Number(port), host)
  socket.on('error', () => {})
  await once(socket, 'connect')

  const head = `POST /producer/produce HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`
  socket.end(head + body.slice(0, -1))
  socket.resume()
  await once(socket, 'close')

  await ask('/producer/produce', { producer_id: 0, message: 'next' })
  assert.deepEqual(queue.stored('T1', 0), ['next'])
})

test('numeric texts and any content type are taken, as the course clients and curl send them', async (context) => {
  const { ask, api, queue } = await startCourse(context)
  await ask('/producer/register', { topic: 'T1', part: 'P1' })

  const response = await fetch(`http://${api().primary}/producer/produce`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '{"producer_id": "0", "message": "Bye1"}',
  })

  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  assert.deepEqual(queue.stored('T1', 0), ['Bye1'])
})

test('when the disk fails nothing is promised, and the next call goes on from what was', async (context) => {
  const { ask, disk } = await startCourse(context)
  for (const part of ['P1', 'P2']) await ask('/topics/add', { topic: 'T1', part })
  await ask('/producer/register', { topic: 'T1' })
  await ask('/consumer/register', { topic: 'T1', part: 'P1' })
  await ask('/producer/produce', { producer_id: 0, message: 'a' })
  await ask('/producer/produce', { producer_id: 0, message: 'b' })

  for (const path of ['/consumer/consume?consumer_id=0', '/consumer/register']) {
    disk.failAt(2, 'EIO')
    const body = path.endsWith('register') ? { topic: 'T1' } : undefined
    const [status, text] = await ask(path, body)
    assert.equal(status, 500)
    assert.match(text, /^{"message":"course.journal c.*","status":"failure"}$/)
  }

  assert.match((await ask('/consumer/consume?consumer_id=0'))[1], /^{"message":"a","topic":"T1:P1"/)
  assert.deepEqual(await ask('/consumer/register', { topic: 'T1' }), ok(1))
})
