import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Engine } from '../../src/plan.ts'
import { until } from '../until.ts'
import { ask, closeConnections, openRaw } from './client.ts'
import { planOf } from './plans.ts'
import { type EngineSubject, plansOf, replicas, run, seen } from './running.ts'

/** A foreign engine under test. */
export interface ForeignSubject extends EngineSubject {
  readonly name: 'nginx' | 'haproxy'
  createWith(program: string): Engine
}

/** The processes that have `text` on their command line (Linux). */
export async function processesWith(text: string): Promise<number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const words = await readFile(`/proc/${name}/cmdline`, 'latin1').catch(() => '')
    // The shell that guards the engine has its command line too, and ends by itself.
    if (words.includes(text) && !words.startsWith('/bin/sh')) found.push(Number(name))
  }
  return found
}

async function isOpen(port: number): Promise<boolean> {
  const raw = await openRaw(port, '').catch(() => undefined)
  raw?.socket.destroy()
  return raw !== undefined
}

/** What is special about engines that are programs of their own. */
export function foreignSuite(subject: ForeignSubject): void {
  describe(`the program ${subject.name}`, () => {
    after(closeConnections)
    living(subject)
    starting(subject)
  })
}

function living(subject: ForeignSubject): void {
  test('comes back with the newest plan when it is killed', async (t) => {
    const [one, two] = await replicas(t, 'one', 'two')
    assert.ok(one && two)
    const { engine, port, events } = await run(t, subject, planOf([one.plan]))
    await engine.apply(planOf([two.plan]))
    const [master] = await processesWith(`drover-${subject.name}-${process.pid}-`)
    assert.ok(master)

    process.kill(master, 'SIGKILL')

    await until('the trouble is told', () => events.some(({ kind }) => kind === 'trouble'))
    await until('it answers', async () => {
      const answer = await ask(port, '/').catch(() => undefined)
      return answer?.status === 200
    })
    assert.equal((await seen(port, '/')).name, 'two')
    await engine.apply(planOf([one.plan]))
    assert.equal((await seen(port, '/')).name, 'one')
  })

  test('never outlives whoever runs it, not even when that is killed', async (t) => {
    const program = fileURLToPath(new URL('./run-engine.js', import.meta.url))
    const child = spawn(process.execPath, [program, subject.name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    await until('it runs', () => said.endsWith('\n'))
    assert.equal(await isOpen(Number(said)), true)

    child.kill('SIGKILL')

    await until('the port is closed', async () => !(await isOpen(Number(said))))
    await until(
      'no process is left',
      async () => (await processesWith(`drover-${subject.name}-${child.pid}-`)).length === 0,
    )
  })

  test('leaves neither process nor folder behind when it is stopped', async (t) => {
    const list = await replicas(t, 'a')
    const { engine } = await run(t, subject, planOf(plansOf(list)))

    await engine.stop(1_000)

    const own = `drover-${subject.name}-${process.pid}-`
    assert.deepEqual(await processesWith(own), [])
    assert.deepEqual(
      (await readdir(tmpdir())).filter((name) => name.startsWith(own)),
      [],
    )
  })
}

function starting(subject: ForeignSubject): void {
  test('says what is wrong when the program is missing', async () => {
    const engine = subject.createWith('no-such-program')

    await assert.rejects(engine.start(planOf([])), {
      code: 'ENGINE_FAILED',
      message: /no-such-program is not installed .* use the engine builtin/,
    })
  })

  test('says what is wrong when the program is too old', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'drover-test-'))
    t.after(() => rm(folder, { recursive: true }))
    const program = join(folder, 'old')
    await writeFile(program, '#!/bin/sh\necho "old version 1.4.7"\n')
    await chmod(program, 0o755)

    await assert.rejects(subject.createWith(program).start(planOf([])), {
      code: 'ENGINE_FAILED',
      message: /is too old: version [\d.]+ or later is needed, it says "old version 1\.4\.7"/,
    })
  })

  test('says which listener cannot have its port', async (t) => {
    const list = await replicas(t, 'a')
    const port = list[0]?.plan.port ?? 0
    const engine = subject.create()

    await assert.rejects(engine.start(planOf([], {}, { port })), {
      code: 'PLAN_REFUSED',
      message: new RegExp(`listener front cannot have 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
    })
  })

  const lacking: [string, Parameters<typeof planOf>[1], RegExp][] = [
    [
      'a newest-first queue',
      { queue: { sizeMax: 1, waitMs: 1, order: 'newest-first' } },
      /newest-f/,
    ],
    [
      'a bound on whole responses',
      { timeouts: { connectMs: 1, firstByteMs: 1, responseMs: 5, keepAliveMs: 1 } },
      /a bound on whole responses/,
    ],
  ]
  for (const [what, service, message] of lacking)
    test(`refuses ${what}, and names who has it`, async () => {
      await assert.rejects(subject.create().start(planOf([], service)), {
        code: 'POLICY_UNSUPPORTED',
        message,
      })
    })
}
