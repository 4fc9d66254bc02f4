import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from './harness/drover.ts'
import { createNetwork, type Host } from './harness/namespaces.ts'
import { bin } from './harness/project.ts'
import { until } from './harness/until.ts'

const manager = '10.78.0.1:7071'

test('a queue over two hosts: a broker that is cut off keeps what it has, the others go on', async (context) => {
  const folder = await temporaryFolder()
  const network = await createNetwork(context, ['10.78.0.1', '10.78.0.2'])
  const [first, second] = network as [Host, Host]
  const start = (host: Host, ...words: string[]) =>
    host.start(process.execPath, [bin, 'queue', ...words], folder)
  const ask = (host: Host, ...words: string[]) =>
    host.run(process.execPath, [bin, 'queue', ...words, '--queue', manager], folder)
  const data = (name: string) => ['--data', join(folder, name)]
  const serving = start(first, 'serve', '--tcp', manager, '--listen', '10.78.0.1:0', ...data('one'))
  await until('it serves', () => serving.output().includes('binary'))
  await ask(first, 'topics', 'orders', '--partitions', '16')
  for (let count = 0; count < 3; count++) await ask(first, 'send', 'orders', `before ${count}`)

  const listen = ['--listen', '10.78.0.2:7171']
  const remote = () => start(second, 'broker', 'broker1', ...listen, ...data('two'))
  const wrong = start(second, 'broker', 'other', ...listen, ...data('other'))
  await until('another broker listens', () => wrong.output().includes('10.78.0.2:7171'))
  await assert.rejects(ask(first, 'add-broker', 'broker1', '10.78.0.2:7171'), /is broker "other"/)
  wrong.child.kill('SIGTERM')
  await until('it has ended', () => wrong.child.exitCode !== null)
  let running = remote()
  await until('it listens', () => running.output().includes('10.78.0.2:7171'))
  assert.match(await ask(first, 'add-broker', 'broker1', '10.78.0.2:7171'), /broker1 is in/)
  const brokers = await ask(second, 'brokers')
  const [, moved = '0'] = /^broker1 +up +10\.78\.0\.2:7171 +(\d+)$/m.exec(brokers) ?? []
  assert.ok(Number(moved) > 0 && Number(moved) < 16, brokers)

  for (let count = 0; count < 5; count++) await ask(second, 'send', 'orders', `after ${count}`)
  const all = [...before(3), ...Array.from({ length: 5 }, (_, count) => `after ${count}`)]
  assert.deepEqual(messagesOf(await ask(first, 'read', 'orders')), all.sort())

  await second.connect(false)
  await until('it is known to be away', async () =>
    /^broker1 +down/m.test(await ask(first, 'brokers')),
  )
  await second.connect(true)
  await until('it is back', async () => /^broker1 +up/m.test(await ask(first, 'brokers')))
  assert.deepEqual(messagesOf(await ask(second, 'read', 'orders')), all)

  running.child.kill('SIGKILL')
  await until('it is down', async () => /^broker1 +down/m.test(await ask(first, 'brokers')))
  running = remote()
  await until('it is up again', async () => /^broker1 +up/m.test(await ask(first, 'brokers')))
  assert.deepEqual(messagesOf(await ask(first, 'read', 'orders')), all)

  assert.match(await ask(first, 'remove-broker', 'broker1'), /broker1 is out/)
  assert.deepEqual(messagesOf(await ask(first, 'read', 'orders')), all)
  assert.doesNotMatch(await ask(first, 'brokers'), /broker1/)
})

const before = (count: number) => Array.from({ length: count }, (_, at) => `before ${at}`)

/** What `drover queue read` printed, without the places. */
function messagesOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\d+:\d+ +/, ''))
    .sort()
}
