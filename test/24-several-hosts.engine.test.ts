import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { copyExample } from './harness/examples.ts'
import { createNetwork, type Host } from './harness/namespaces.ts'
import { bin } from './harness/project.ts'
import { until } from './harness/until.ts'

const ask = `fetch(process.argv[1], { signal: AbortSignal.timeout(8000) }).then(async (answer) => console.log(answer.status, await answer.text()),
  (error) => console.log(0, String(error.cause ?? error)))`

/** Who answers at the address that clients know, as the host sees it; empty when nobody does. */
async function answerer(host: Host): Promise<string> {
  const said = await host.run(process.execPath, ['-e', ask, 'http://10.77.0.1:8080/home'])
  return /^200 .*Server: (\S+ \S+|\S+)"/.exec(said)?.[1] ?? ''
}

test('examples/several-hosts: a host that is cut off is passed over, and hears what it missed', async (context) => {
  const folder = await copyExample('several-hosts', [])
  await writeFile(join(folder, 'herd.key'), 'a key that only these three have\n')
  const network = await createNetwork(context, ['10.77.0.1', '10.77.0.2', '10.77.0.3'])
  const [front, north, east] = network as [Host, Host, Host]
  const up = (host: Host, file: string) =>
    host.start(process.execPath, [bin, 'up', '-c', file], folder)
  const started = [up(north, 'north.yaml'), up(east, 'east.yaml'), up(front, 'front.yaml')]
  const said = () => started.map(({ output }) => output()).join('\n')
  await until('all three run', () => {
    for (const { child } of started) assert.equal(child.exitCode, null, said())
    return started.every(({ output }) => output().includes('Ctrl-c'))
  })
  const herd = (host: Host, ...words: string[]) =>
    host.run(process.execPath, [bin, 'herd', ...words, '--topology', 'herd.yaml'], folder)
  const hosts = async () => {
    const seen = new Set<string>()
    for (let count = 0; count < 6; count++) seen.add((await answerer(east)).split(' ')[0] ?? '')
    return [...seen].sort()
  }

  await until('the front sends requests to both', async () => (await hosts()).length === 2)
  assert.match(await herd(front, 'say', 'North', 'kiwi', '+34.068930-118.445127'), /^AT North /)
  await until('East has heard of it', async () =>
    (await herd(front, 'ask', 'East', 'kiwi').catch(() => '')).startsWith('AT North '),
  )

  await east.connect(false)
  await until('only north answers', async () => {
    const seen = new Set<string>()
    for (let count = 0; count < 4; count++) seen.add(await answerer(north))
    return [...seen].every((name) => name !== '' && !name.startsWith('east'))
  })
  assert.match(await herd(front, 'say', 'West', 'plum', '+35.000000-118.000000'), /^AT West /)

  await east.connect(true)
  await until('East hears what it missed', async () =>
    (await herd(front, 'ask', 'East', 'plum').catch(() => '')).startsWith('AT West '),
  )
  await until('east answers again', async () => (await hosts()).length === 2)
})
