import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { statusOf } from './messages.ts'
import type { Peer } from './peer.ts'
import { planOf, serviceOf } from './plans.ts'
import { chunkCases } from './refused/chunk-cases.ts'
import { framingCases } from './refused/framing-cases.ts'
import { headerCases } from './refused/header-cases.ts'
import type { RefusedCase } from './refused/refused-case.ts'
import { requestLineCases } from './refused/request-line-cases.ts'
import { type RunningDoor, startDoor } from './running-door.ts'
import { startUpstream, type Upstream } from './upstream.ts'

/** What an attacker wants a replica to see; sent behind every case. */
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: example.test\r\n\r\n'
const well = 'GET /well HTTP/1.1\r\nHost: example.test\r\n\r\n'
const atOnce = 16

interface Running {
  readonly door: RunningDoor
  readonly upstream: Upstream
}

type Send = (client: Peer, text: string) => Promise<void> | void

const whole: Send = (client, text) => client.send(text)
const byteForByte: Send = (client, text) => client.sendSlowly(text)

async function start(t: TestContext): Promise<Running> {
  const upstream = await startUpstream(t)
  const door = await startDoor(t, planOf(serviceOf([upstream.port])))
  return { door, upstream }
}

/** Sends a case; returns what is wrong with the door's reaction, or undefined. */
async function tryCase(
  { door }: Running,
  one: RefusedCase,
  send: Send,
): Promise<string | undefined> {
  const client = await door.client()
  try {
    await send(client, `${one.send}${smuggled}`)
    await client.untilEnded()
    const answer = await client.answer()
    const { detail } = JSON.parse(answer.body.toString())
    assert.equal(`${statusOf(answer)} ${detail}`, `${one.status} ${one.reason}`)
    assert.equal(answer.end, client.bytes.length, 'there is more than one answer')
    return undefined
  } catch (error) {
    return `${one.name}: ${(error as Error).message}`
  } finally {
    client.socket.destroy()
  }
}

/** Holds the door to refusing each case, once, with its connection closed behind the answer. */
async function expectRefusals(
  running: Running,
  cases: readonly RefusedCase[],
  send: Send,
): Promise<void> {
  const wrong: (string | undefined)[] = []
  for (let at = 0; at < cases.length; at += atOnce) {
    const some = cases.slice(at, at + atOnce)
    wrong.push(...(await Promise.all(some.map((one) => tryCase(running, one, send)))))
  }
  assert.deepEqual(
    wrong.filter((one) => one !== undefined),
    [],
  )
}

/** A request that is well reaches the replica, and shows that nothing else did before it. */
async function expectNothingElse({ door, upstream }: Running): Promise<void> {
  const client = await door.client()
  client.send(well)
  assert.equal(statusOf(await client.answer()), 200)
  assert.deepEqual(
    upstream.requests.map(({ start }) => start),
    ['GET /well HTTP/1.1'],
  )
}

const short = (cases: readonly RefusedCase[]) => cases.filter(({ send }) => send.length < 1_000)

describe('a head that breaks the rules is refused', () => {
  for (const [name, cases] of Object.entries({ framingCases, headerCases, requestLineCases })) {
    test(`${name}, in one piece`, async (t) => {
      const running = await start(t)
      await expectRefusals(running, cases, whole)
      assert.equal(running.upstream.text, '')
      await expectNothingElse(running)
    })

    test(`${name}, byte for byte`, async (t) => {
      const running = await start(t)
      await expectRefusals(running, short(cases), byteForByte)
      assert.equal(running.upstream.text, '')
      await expectNothingElse(running)
    })
  }
})

describe('a body that breaks the rules is refused', () => {
  for (const [name, send] of Object.entries({
    'in one piece': whole,
    'byte for byte': byteForByte,
  }))
    test(`chunkCases, ${name}`, async (t) => {
      const running = await start(t)
      await expectRefusals(running, short(chunkCases), send)
      await expectNothingElse(running)
    })
})
