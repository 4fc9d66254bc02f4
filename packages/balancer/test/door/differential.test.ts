import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { until } from '../until.ts'
import { readAnswerAsDoor, readAnswerAsNode } from './answers-understood.ts'
import { answerTexts } from './generated-answers.ts'
import { requestStreams } from './generated-requests.ts'
import { planOf, serviceOf } from './plans.ts'
import { type RunningDoor, startDoor } from './running-door.ts'
import {
  type Reading,
  readAsDoor,
  readAsNode,
  type Understood,
  understandAll,
} from './understood.ts'

/** Everything that the door passes on of a request must be what node's parser found there. */
function expectAgreement(ours: Understood, theirs: Understood | undefined): void {
  assert.ok(theirs, 'node does not accept it')
  assert.equal(ours.method, theirs.method)
  const target = ours.target === '*' && theirs.target === '/' ? '/' : ours.target
  assert.equal(target, theirs.target)
  assert.equal(ours.host, theirs.host)
  assert.equal(ours.body, theirs.body)
  expectWithin(ours.headers, theirs.headers)
  expectWithin(ours.trailers, theirs.trailers)
}

/** Each of `ours` stands in `theirs`, in the same order. */
function expectWithin(ours: Understood['headers'], theirs: Understood['headers']): void {
  let at = 0
  for (const [name, value] of ours) {
    const found = theirs.findIndex(
      (their, index) => index >= at && their[0] === name && their[1] === value,
    )
    assert.ok(found >= at, `${name}: ${value} is not in ${JSON.stringify(theirs)}`)
    at = found + 1
  }
}

function expectSubset(ours: Reading, theirs: Reading): void {
  for (const [index, request] of ours.requests.entries())
    expectAgreement(request, theirs.requests[index])
  if (!ours.stopped) assert.equal(theirs.requests.length, ours.requests.length)
}

test('what the door accepts, node accepts, and both understand the same', async () => {
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(requestStreams, async (text) => {
      const ours = readAsDoor(text, true)
      expectSubset(ours, await readAsNode(text))
      accepted += ours.requests.length
    }),
    { numRuns: 4_000 },
  )
  assert.ok(accepted > 1_000, `only ${accepted} accepted: the generator is too hostile`)
})

test('what the door accepts of a replica, node accepts, and both understand the same', async () => {
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(answerTexts, async (text) => {
      const ours = readAnswerAsDoor(text)
      if (!ours) return
      accepted++
      const theirs = await readAnswerAsNode(text)
      if (theirs !== 'changed') assert.deepEqual(ours, theirs)
    }),
    { numRuns: 4_000 },
  )
  assert.ok(accepted > 500, `only ${accepted} accepted: the generator is too hostile`)
})

/** A replica on node:http that keeps what it understood, and whether it ever had to refuse. */
async function startNodeReplica(t: TestContext) {
  const requests: Understood[] = []
  const refusals: string[] = []
  const server = createServer({ insecureHTTPParser: false })
  understandAll(server, requests)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== 'ECONNRESET' && error.code !== 'HPE_INVALID_EOF_STATE')
      refusals.push(`${error.code} ${error.message}`)
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  const address = server.address()
  return { requests, refusals, port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
}

/** Sends a stream and waits for as many answers as it has requests that are well. */
async function sendThrough(door: RunningDoor, text: string, answers: number): Promise<void> {
  const client = await door.client()
  client.send(text)
  await until(
    `${answers} answers`,
    () => (client.text.match(/^HTTP\/1\.1 [2-5]/gm) ?? []).length >= answers || client.closed,
  )
  client.socket.destroy()
}

test('what reaches a replica is what was accepted, framed so that node understands it', async (t) => {
  const replica = await startNodeReplica(t)
  const door = await startDoor(t, planOf(serviceOf([replica.port])))
  await fc.assert(
    fc.asyncProperty(requestStreams, async (text) => {
      const expected = readAsDoor(text).requests
      const before = replica.requests.length
      await sendThrough(door, text, expected.length)
      const seen = replica.requests.slice(before)
      assert.deepEqual(replica.refusals, [])
      assert.equal(seen.length, expected.length)
      for (const [index, request] of expected.entries()) expectAgreement(request, seen[index])
    }),
    { numRuns: 300 },
  )
})
