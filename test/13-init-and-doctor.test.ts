import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { readyReplicas, runDrover, startDrover, temporaryFolder } from './harness/drover.ts'
import { get } from './harness/load.ts'
import { homeServer } from './harness/project.ts'

const freePorts = (text: string) =>
  `${text.replace('127.0.0.1:8080', '127.0.0.1:0')}\nadmin: { address: '127.0.0.1:0' }\n`

test('init writes a drover.yaml that up runs as it is', async (context) => {
  const folder = await temporaryFolder()
  const words = ['init', '--name', 'shop', '--', process.execPath, homeServer]
  const made = await runDrover(words, { cwd: folder })
  assert.equal(made.code, 0, made.stderr)
  const file = join(folder, 'drover.yaml')
  const text = await readFile(file, 'utf8')
  // The sample server knows no /.
  await writeFile(file, freePorts(text.replace('path: /', 'path: /heartbeat')))

  const drover = await startDrover(context, ['up'], { folder })

  assert.equal((await readyReplicas(drover)).length, 3)
  assert.match((await get(`${await drover.url()}/home`)).body, /Hello from Server/)
})

test('every line of it that is commented out is right when it is not', async () => {
  const folder = await temporaryFolder()
  await runDrover(['init'], { cwd: folder })
  const file = join(folder, 'drover.yaml')
  const text = await readFile(file, 'utf8')
  const bold = text
    .replaceAll(/^( *)# ((env|sticky|rateLimit|autoscale|routes|admin): )/gm, '$1$2')
    .replace('token: ...', `token: ${'x'.repeat(16)}`)
    .replace('service: api', 'service: web')
  await writeFile(file, bold)

  const checked = await runDrover(['config', 'check'], { cwd: folder })

  assert.equal(checked.stderr, '')
  assert.equal(checked.code, 0)
  assert.equal(bold.match(/^ *(env|sticky|rateLimit|autoscale|routes|admin): /gm)?.length, 6)
})

test('what it says about healthy answers is what holds', async () => {
  const folder = await temporaryFolder()
  await runDrover(['init'], { cwd: folder })
  const file = join(folder, 'drover.yaml')
  const text = await readFile(file, 'utf8')
  const [, onRoot, elsewhere] =
    /this path answers with (\S+),[\s\S]*has to answer with (\S+)\./.exec(text) ?? []
  const showStatus = async () => {
    const { stdout } = await runDrover(['config', 'show'], { cwd: folder })
    return /status: (\S+)/.exec(stdout)?.[1]
  }

  const written = await showStatus()
  await writeFile(file, text.replace('path: /', 'path: /healthz'))

  assert.equal(written, onRoot)
  assert.equal(await showStatus(), elsewhere)
})

for (const [name, files, command] of [
  [
    'package.json',
    { 'package.json': '{"scripts":{"start":"node app.js -v"}}' },
    '[ node, app.js, -v ]',
  ],
  [
    'a start script that needs a shell',
    { 'package.json': '{"scripts":{"start":"a && b"}}' },
    '[ npm, start ]',
  ],
  [
    'a Procfile',
    { Procfile: 'web: gunicorn app --bind :$PORT\n' },
    '[ /bin/sh, -c, exec gunicorn app --bind :$PORT ]',
  ],
] as const)
  test(`init reads ${name}`, async () => {
    const folder = await temporaryFolder()
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text)

    const made = await runDrover(['init'], { cwd: folder })

    assert.equal(made.code, 0, made.stderr)
    assert.ok(
      made.stdout.includes(name.replace(/^a start script.*/, 'package.json').replace('a ', '')),
    )
    const text = await readFile(join(folder, 'drover.yaml'), 'utf8')
    assert.ok(text.includes(`command: ${command}`), text)
  })

test('init leaves a file alone that is there, and names what is wrong with package.json', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'package.json'), '{')
  const broken = await runDrover(['init'], { cwd: folder })
  await writeFile(join(folder, 'drover.yaml'), 'mine')

  const refused = await runDrover(['init', '--', 'node', 'x.js'], { cwd: folder })

  assert.equal(broken.code, 2)
  assert.match(broken.stderr, /package\.json/)
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /there is a drover\.yaml here already/)
  assert.equal(await readFile(join(folder, 'drover.yaml'), 'utf8'), 'mine')
})

test('doctor says what is good, and what keeps Drover from running', async () => {
  const folder = await temporaryFolder()
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const config = (address: string) =>
    `services: { web: { command: node x.js } }
listeners: [{ address: '${address}', service: web }]
admin: { address: '127.0.0.1:0' }
`
  await writeFile(join(folder, 'drover.yaml'), config('127.0.0.1:0'))
  const good = await runDrover(['doctor', '--json'], { cwd: folder })
  await writeFile(join(folder, 'drover.yaml'), config(`127.0.0.1:${port}`))
  const bad = await runDrover(['doctor'], { cwd: folder })
  await writeFile(join(folder, 'drover.yaml'), 'services: 7\n')
  const wrong = await runDrover(['doctor'], { cwd: folder })
  taken.close()

  assert.equal(good.code, 0, good.stdout)
  const { findings } = JSON.parse(good.stdout) as { findings: { what: string; verdict: string }[] }
  for (const what of [
    'Node.js',
    'cores',
    'memory',
    'disk free',
    'write and sync',
    'nginx',
    'Docker',
  ])
    assert.ok(
      findings.some((finding) => finding.what === what),
      what,
    )
  assert.equal(bad.code, 1)
  assert.match(bad.stdout, new RegExp(`127\\.0\\.0\\.1:${port} +bad +taken by another program`))
  assert.equal(wrong.code, 1)
  assert.match(wrong.stdout, /configuration +bad +drover\.yaml:1: services/)
})
