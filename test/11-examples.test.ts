import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkContract } from './harness/classroom.ts'
import { runDrover, startDrover } from './harness/drover.ts'
import { copyExample } from './harness/examples.ts'
import { get } from './harness/load.ts'
import { until } from './harness/until.ts'

test('examples/customizable-load-balancer serves its contract', async (context) => {
  const folder = await copyExample('customizable-load-balancer')
  const drover = await startDrover(context, ['up'], { folder })

  await checkContract(context, await drover.url())
})

test('examples/websocket: a WebSocket survives the restart of another service and a reload', async (context) => {
  const folder = await copyExample('websocket')
  const drover = await startDrover(context, ['up'], { folder })
  const url = await drover.url()
  const chat = await openChat(`${url.replace('http', 'ws')}/chat`)
  context.after(() => chat.socket.close())

  assert.match(await chat.say('hello'), /^[12] heard: hello$/)
  const restart = await runDrover(['restart', 'web'], { cwd: folder })
  const reload = await runDrover(['reload'], { cwd: folder })

  assert.equal(restart.code, 0, restart.stderr)
  assert.equal(reload.code, 0, reload.stderr)
  assert.match(await chat.say('still there?'), /^[12] heard: still there\?$/)
  assert.equal((await get(`${url}/home`)).status, 200)
  assert.equal(chat.socket.readyState, WebSocket.OPEN)
})

test('examples/websocket: a replica that leaves lets its conversations end', async (context) => {
  const folder = await copyExample('websocket')
  const drover = await startDrover(context, ['up'], { folder })
  const chat = await openChat(`${(await drover.url()).replace('http', 'ws')}/chat`)
  context.after(() => chat.socket.close())
  const [id] = (await chat.say('who?')).split(' ')

  await drover.post('/v1/services/chat/rm', { n: 1, hostnames: [`Server ${id}`] })
  const answer = await chat.say('still there?')
  chat.socket.close()

  assert.equal(answer, `${id} heard: still there?`)
  await until('it is gone when the conversation is over', async () => {
    const { services } = await drover.status()
    const replicas = services.find(({ name }) => name === 'chat')?.replicas ?? []
    return replicas.length === 1
  })
})

/** Opens a WebSocket that answers each message. */
async function openChat(url: string) {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', reject, { once: true })
  })
  return {
    socket,
    say(words: string): Promise<string> {
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      socket.addEventListener('message', ({ data }) => resolve(String(data)), { once: true })
      socket.addEventListener('close', () => reject(new Error('it was closed')), { once: true })
      socket.send(words)
      return promise
    },
  }
}
