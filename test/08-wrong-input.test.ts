import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { anyPort, runDrover, startDrover, temporaryFolder } from './harness/drover.ts'
import { bin, homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

const cases: [name: string, words: string[], code: number, says: RegExp][] = [
  ['a command', ['blance'], 2, /unknown command 'blance'\n\(Did you mean balance\?\)/],
  ['an option', ['balance', '--replcas', '3', '--', 'x'], 2, /Did you mean --replicas\?/],
  [
    'a policy',
    ['balance', '--policy', 'least-conections', '--', 'x'],
    2,
    /--policy: .*did you mean "least-connections"\?/,
  ],
  [
    'a number',
    ['balance', '--replicas', 'three', '--', 'x'],
    2,
    /--replicas: expected a whole number from 0 to 1000, not "three"/,
  ],
  [
    'a status',
    ['balance', '--failure-status', '200', '--', 'x'],
    2,
    /--failure-status: expected a whole number from 400 to 599, not 200/,
  ],
  [
    'a duration',
    ['balance', '--queue-wait', '5', '--', 'x'],
    2,
    /--queue-wait: expected a text \(a duration such as 500ms/,
  ],
  [
    'an address',
    ['balance', '--listen', 'nowhere', '--', 'x'],
    2,
    /--listen: expected a text \(an address/,
  ],
  [
    'a policy option',
    ['balance', '--policy', 'ring', '--policy-option', 'virtualNods=3', '--', 'x'],
    2,
    /--policy-option: .*did you mean virtualNodes\?/,
  ],
  [
    'a key',
    ['balance', '--key', 'header', '--', 'x'],
    2,
    /--key: expected a text \(what hashed policies hash/,
  ],
  ['a pair', ['balance', '--env', 'PORT', '--', 'x'], 2, /--env: expected name=value, not "PORT"/],
  ['nothing to run', ['balance'], 2, /nothing to run: put a command after --/],
  [
    'a program that is not there',
    ['balance', ...anyPort, '--', 'no-such-program-anywhere'],
    69,
    /no-such-program-anywhere/,
  ],
  [
    'an admin API for everybody',
    ['balance', '--admin', ':0', '--', 'x'],
    2,
    /--admin-token: is missing; :0 can be reached from other machines/,
  ],
  [
    'a number of replicas',
    ['scale', 'web', '2000'],
    2,
    /replicas: expected a whole number from 0 to 1000, not "2000"/,
  ],
  ['an experiment', ['experiment', 'b1'], 2, /did you mean "a1"\?/],
  ['a shell', ['completion', 'bsh'], 2, /did you mean "bash"\?/],
  ['nobody there', ['status'], 69, /no instance runs on .*\.drover/],
  [
    'nobody at an address',
    ['status', '--admin', '127.0.0.1:1'],
    69,
    /no instance answers at http:\/\/127\.0\.0\.1:1/,
  ],
  [
    'a file that is not there',
    ['up', '-c', 'nowhere.yaml'],
    2,
    /nowhere\.yaml: cannot be read: there is no such file/,
  ],
  [
    'a queue that is not there',
    ['queue', 'topics', '--queue', '127.0.0.1:1'],
    69,
    /no connection to 127\.0\.0\.1:1; drover queue serve runs a queue/,
  ],
  ['a way to chunk', ['chunk', 'x', '--by', 'linez 5'], 2, /did you mean "lines"\?/],
]

for (const [name, words, code, says] of cases)
  test(`wrong input is answered in plain words: ${name}`, async () => {
    const cwd = await temporaryFolder()

    const ran = await runDrover(words, { cwd })

    assert.match(ran.stderr, says)
    assert.equal(ran.code, code, ran.stderr)
    assert.doesNotMatch(ran.stderr, /\n\s+at /, 'no stack trace')
  })

test('a tour where another one runs is refused before it writes a topology', async () => {
  const cwd = await temporaryFolder()
  await mkdir(join(cwd, '.drover'))
  await writeFile(join(cwd, '.drover', 'run.json'), JSON.stringify({ pid: process.pid }))

  const ran = await runDrover(['up', '--shift', '7'], { cwd })

  assert.match(ran.stderr, new RegExp(`is in use by process ${process.pid}`))
  assert.equal(ran.code, 1)
  assert.deepEqual(await readdir(join(cwd, '.drover')), ['run.json'])
})

for (const words of [['up'], ['chunks', 'serve', '--data', '.drover']])
  test(`a data folder that is a file is no mistake of Drover: ${words[0]}`, async () => {
    const cwd = await temporaryFolder()
    await writeFile(join(cwd, '.drover'), '')

    const ran = await runDrover(words, { cwd })

    assert.match(
      ran.stderr,
      /^drover: .*\.drover: .*(in a folder of yours|names another folder)\n$/,
    )
    assert.equal(ran.code, 1)
  })

test('an instance that cannot start ends, also when it was started over a channel', async (context) => {
  const cwd = await temporaryFolder()
  const other = createServer().listen(0, '127.0.0.1')
  context.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const words = ['balance', '--listen', `127.0.0.1:${port}`, '--admin', 'off', '--', 'node', 'x']

  // So does bin/drover.js on an older Node.
  const child = spawn(process.execPath, [bin, ...words], {
    cwd,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })

  assert.deepEqual(await once(child, 'exit'), [1, null])
})

test('config check lists every mistake with file and line', async () => {
  const cwd = await temporaryFolder()
  await writeFile(
    join(cwd, 'drover.yaml'),
    'services:\n  web:\n    comand: x\n    replicas: many\n',
  )

  const { code, stderr } = await runDrover(['config', 'check'], { cwd })

  assert.equal(code, 2)
  assert.match(
    stderr,
    /^drover: drover\.yaml:3: services\.web\.comand: unknown key; did you mean "command"\?$/m,
  )
  assert.match(
    stderr,
    /^drover\.yaml:4: services\.web\.replicas: expected a whole number from 0 to 1000, not "many"$/m,
  )
})

test('config check finds what up would refuse', async () => {
  const cwd = await temporaryFolder()
  await writeFile(
    join(cwd, 'drover.yaml'),
    'services:\n  web: { command: x, policy: maglev }\ndoor: { engine: nginx }\n',
  )

  for (const words of [['config', 'check'], ['up']]) {
    const { code, stderr } = await runDrover(words, { cwd })
    assert.equal(code, 2)
    assert.match(stderr, /the policy maglev, which the engine nginx lacks; builtin has it/)
  }
})

test('what runs is asked for things it does not have', async (context) => {
  const words = ['balance', ...anyPort, '-n', '1', '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)
  const asked: [words: string[], says: RegExp, exitCode: number][] = [
    [['scale', 'wbe', '2'], /no service is called "wbe"; did you mean "web"\?/, 2],
    [['drain', 'web', 'Server 9'], /web has no replica "Server 9"; did you mean "Server 1"\?/, 2],
    [
      ['policy', 'web', 'rnd-robin'],
      /no policy is called "rnd-robin"; did you mean "round-robin"\?/,
      2,
    ],
    [['policy', 'web', 'round-robin', '--policy-option', 'x=1'], /has no option x/, 2],
    [['logs', 'wbe'], /did you mean "web"\?/, 2],
    [['logs', 'web', '-r', 'Server 9'], /did you mean "Server 1"\?/, 2],
    [['restart', 'wbe'], /did you mean "web"\?/, 2],
    [['kill', 'web', '9'], /web has no replica "9"/, 2],
    [['fault', 'web', '9', '--end'], /web has no replica "9"/, 2],
    [['weight', 'web', '9', '2'], /web has no replica "9"/, 2],
    [['reload'], /there is no file/, 1],
  ]

  for (const [command, says, exitCode] of asked) {
    const { code, stderr } = await runDrover(command, { cwd: drover.folder })
    assert.match(stderr, says)
    assert.equal(code, exitCode, stderr)
  }
  const weight = await runDrover(['weight', 'web', '1', '0'], { cwd: drover.folder })
  assert.match(weight.stderr, /weight: expected a number above 0 and at most 1000, not "0"/)
  assert.equal(weight.code, 2)
})

test('a crash loop is told with the reason and the last words', async (context) => {
  const dies = `console.error('the key is missing'); process.exit(7)`
  const words = [
    'balance',
    ...anyPort,
    '-n',
    '0',
    '--name',
    'web',
    '--',
    process.execPath,
    '-e',
    dies,
  ]
  const drover = await startDrover(context, words)

  await drover.post('/v1/services/web/scale', { replicas: 1 })

  await until('it is told', () => /died \d+ times in a row/.test(drover.output()))
  assert.match(
    drover.output(),
    /web: a replica died \d+ times in a row \(.*exited with code 7.*\); next try in \d+ m?s\n.*the key is missing/,
  )
  await until('drover status tells it, too', async () => {
    const { stdout } = await runDrover(['status'], { cwd: drover.folder })
    return /0 of 1 ready.*\na replica died \d+ times in a row .*\n.*the key is missing/.test(stdout)
  })
})
