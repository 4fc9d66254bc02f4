import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../../bin/drover.js', import.meta.url))
const deadlineMs = 60_000

let directory: string
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drover-herd-'))
})
after(() => rm(directory, { recursive: true, force: true }))

/** A command that runs, and what it has written. */
class Running {
  readonly child: ChildProcess
  output = ''

  constructor(...words: string[]) {
    this.child = spawn(process.execPath, [program, 'herd', ...words], {
      cwd: directory,
      env: { ...process.env, DROVER_HERD_KEY: 'a key for these tests only' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        this.output += bytes.toString()
      })
  }

  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (const untilMs = performance.now() + deadlineMs; performance.now() < untilMs; ) {
      const found = pattern.exec(this.output)
      if (found) return found
      await sleep(20)
    }
    throw new Error(`no ${pattern} in ${this.output}`)
  }

  /** Waits for the end and returns the exit code; null after a signal. */
  async ended(): Promise<number | null> {
    const { child } = this
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
    return child.exitCode
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGINT')
    return this.ended()
  }
}

/** Runs a command to its end. */
async function run(...words: string[]): Promise<{ code: number | null; output: string }> {
  const running = new Running(...words)
  const code = await running.ended()
  return { code, output: running.output }
}

/** Runs a command until its output passes; a herd that has just begun may not be linked yet. */
async function runUntil(pattern: RegExp, ...words: string[]): Promise<string> {
  let output = ''
  for (const untilMs = performance.now() + deadlineMs; performance.now() < untilMs; ) {
    output = (await run(...words)).output
    if (pattern.test(output)) return output
  }
  throw new Error(`no ${pattern} in ${output}`)
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

async function writeTopology(): Promise<{ file: string; httpPort: number }> {
  const [a, b, c, aPeers, bPeers, cPeers, httpPort = 0] = await freePorts(7)
  const file = join(directory, `herd-${a}.yaml`)
  const server = (name: string, port = 0, peers = 0, http = 0) =>
    `  ${name}: { address: 127.0.0.1:${port}, peers: 127.0.0.1:${peers}${http > 0 ? `, http: 127.0.0.1:${http}` : ''} }`
  const lines = [
    ...['name: trio', 'servers:', server('A', a, aPeers, httpPort)],
    ...[server('B', b, bPeers), server('C', c, cPeers)],
    ...['links: [[A, B], [B, C]]', ''],
  ]
  await writeFile(file, lines.join('\n'))
  return { file, httpPort }
}

test('up, say, ask, watch and storm work together, and a killed server comes back', async () => {
  const { file, httpPort } = await writeTopology()
  const up = new Running('up', file)
  await up.until(/A: clients on[\s\S]*/)
  for (const name of ['A', 'B', 'C']) await up.until(new RegExp(`${name}: clients on`))

  const watch = new Running('watch', `127.0.0.1:${httpPort}`, '50', '10', '5')
  const said = await runUntil(/^AT C /, 'say', 'C', 'kiwi', '+50.0+10.0', '-t', file)
  assert.match(said, /^AT C [+-]\d+\.\d{9} kiwi \+50\.0\+10\.0 \d+\.\d{9}\n$/)
  const asked = await runUntil(/^AT C /, 'ask', 'A', 'kiwi', '50', '2', '-t', file)
  const [at = '', ...rest] = asked.split('\n')
  assert.equal(at, said.trimEnd())
  assert.equal(JSON.parse(rest.join('\n')).status, 'OK')
  // The watch may have begun after the first line: it is said again until the watch has told it.
  for (let round = 0; !/enter|move/.test(watch.output) && round < 200; round++)
    await run('say', 'C', 'kiwi', '+50.0+10.0', '-t', file)
  assert.match(watch.output, /^(enter|move ) kiwi at 50, 10 \(C\)$/m)
  assert.equal(await watch.stop(), 0)

  const words = ['--clients', '5', '--rate', '100', '--seed', '1', '--around', '+50+10']
  const storm = new Running('storm', file, ...words)
  await storm.until(/ [1-9]\d* answered, 0 refused; 3 of 3 servers/)
  const [, pid = ''] = await up.until(/B started as process (\d+)/)
  process.kill(Number(pid), 'SIGKILL')
  await up.until(/B ended with SIGKILL[\s\S]*B started as process[\s\S]*B: clients on/)
  storm.output = ''
  await storm.until(/ 3 of 3 servers/)
  assert.equal(await storm.stop(), 0)

  const pids = [...up.output.matchAll(/started as process (\d+)/g)].map(([, each]) => Number(each))
  assert.equal(await up.stop(), 0)
  for (const each of pids) assert.throws(() => process.kill(each, 0), { code: 'ESRCH' })
})

test('a storm and a question where no herd runs say so, and what to do', async () => {
  const { file } = await writeTopology()
  const storm = await run('storm', file, '--seconds', '1')
  assert.match(storm.output, /no server of trio answered; is the herd up\?\n$/)
  assert.equal(storm.code, 69)
  const said = await run('say', 'A', 'kiwi', '+1+1', '-t', file)
  assert.match(said.output, /gives no answer; drover herd up runs its servers/)
  assert.equal(said.code, 69)
})

test('what a server answers with a question mark is no success', async () => {
  const { file } = await writeTopology()
  const a = new Running('serve', 'A', '-t', file, '--logs', 'refusing-logs')
  await a.until(/A: clients on/)

  const nowhere = await run('say', 'A', 'kiwi', 'somewhere', '-t', file)
  assert.match(
    nowhere.output,
    /^drover: A refuses "IAMAT kiwi somewhere \d+\.\d{9}": a location is /,
  )
  assert.equal(nowhere.code, 1)
  const nobody = await run('ask', 'A', 'nobody', '-t', file)
  assert.match(nobody.output, /^drover: A refuses "WHATSAT nobody 10 5": perhaps it has not /)
  assert.equal(nobody.code, 1)
  await a.stop()
})

test('a radius or a bound that is none is refused before anybody is asked', async () => {
  for (const words of [['x'], ['10', '21'], ['51']]) {
    const asked = await run('ask', 'Bona', 'kiwi', ...words)
    assert.match(
      asked.output,
      /^drover: (radius: expected a|bound: expected a whole) number from 0/,
    )
    assert.equal(asked.code, 2)
  }
})

test('a server joins by a seed, hears what was said before, and leaves without a trace', async () => {
  const { file } = await writeTopology()
  const a = new Running('serve', 'A', '-t', file, '--logs', 'seed-logs')
  const [, peers = ''] = await a.until(/peers on (\d+)/)
  await run('say', 'A', 'early', '+1+1', '-t', file)
  const [port = 0] = await freePorts(1)
  const words = ['--listen', `127.0.0.1:${port}`, '--seed', `127.0.0.1:${peers}`]
  const zoe = new Running('serve', 'Zoe', ...words, '--logs', 'seed-logs')
  await zoe.until(/clients on/)
  await writeFile(join(directory, 'zoe.yaml'), `name: zoe\nservers: { Zoe: 127.0.0.1:${port} }\n`)
  await runUntil(/^AT A /, 'ask', 'Zoe', 'early', '0', '0', '-t', 'zoe.yaml')
  await runUntil(/^AT Zoe /, 'say', 'Zoe', 'late', '+2+2', '-t', 'zoe.yaml')
  await runUntil(/^AT Zoe /, 'ask', 'A', 'late', '0', '0', '-t', file)

  assert.equal(await zoe.stop(), 0)
  assert.equal(await a.stop(), 0)
  const log = await readFile(join(directory, 'seed-logs', 'A.log'), 'utf8')
  assert.match(log, /"event":"herd\.peer\.linked","peer":"Zoe"/)
  assert.match(log, /"event":"herd\.peer\.left","peer":"Zoe"/)
})

test('a server ends with the process that holds its standard input', async () => {
  const { file } = await writeTopology()
  const server = new Running('serve', 'B', '-t', file, '--with-parent')
  await server.until(/clients on/)
  server.child.stdin?.end()

  assert.equal(await server.ended(), 0)
})

const refusals: Record<string, [words: string[], message: RegExp]> = {
  'an unknown server': [['serve', 'Nobody'], /bailey has no server "Nobody"; it has Bailey, Bona/],
  'an unknown topology': [['up', 'nowhere.yaml'], /nowhere\.yaml/],
  'an unknown profile': [['serve', 'Clark', '--profile', 'loose'], /classic, lenient or iso/],
  'a storm of nobody': [['storm', '--clients', '0'], /--clients: expected a whole number from 1/],
  'a storm nowhere': [['storm', '--around', 'here'], /--around: expected a place/],
  'a radius that is none': [
    ['ask', 'A', 'kiwi', 'far', '5'],
    /radius: expected a number from 0 to 50, not "far"/,
  ],
}
for (const [what, [words, message]] of Object.entries(refusals))
  test(`${what} is refused with a message and a code`, async () => {
    const { code, output } = await run(...words)

    assert.notEqual(code, 0)
    assert.match(output, message)
  })

test('a port that is taken is named, by a fault', async () => {
  const { file } = await writeTopology()
  const a = new Running('serve', 'A', '-t', file, '--logs', 'taken-logs')
  await a.until(/A: clients on/)
  const again = await run('serve', 'A', '-t', file, '--logs', 'taken-again-logs')
  assert.match(again.output, /^drover: 127\.0\.0\.1:\d+ is taken by another program\n$/)
  assert.equal(again.code, 1)
  await a.stop()
})
