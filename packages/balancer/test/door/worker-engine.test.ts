import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { createBuiltinEngine } from '../../src/door/builtin-engine.ts'
import type { Plan } from '../../src/plan.ts'
import { until } from '../until.ts'
import { listenerOf, planOf, serviceOf } from './plans.ts'

test('a worker that dies is replaced on the same address, and by the plan that came meanwhile', async (t) => {
  const engine = createBuiltinEngine({ workers: 2 })
  t.after(() => engine.stop(0))
  await engine.start(answering('before'))
  const port = engine.ports().front ?? 0
  const [one = 0, other = 0] = workerIds()

  process.kill(Math.min(one, other), 'SIGKILL')
  await until('the end of a worker', () => workerIds().length < 2)
  await until('the new plan', () => isTaken(engine.apply(answering('after'))))

  assert.equal(engine.ports().front, port)
  await until('its successor', () => workerIds().length === 2)
  await until('statistics', async () => (await engine.stats()).listeners.length > 0)
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask(port)))
  assert.deepEqual(new Set(answers), new Set(['after']))
})

/** Returns a plan that answers every request by `body`. */
function answering(body: string): Plan {
  const action = { kind: 'answer', status: 200, contentType: 'text/plain', body } as const
  return planOf(serviceOf([]), listenerOf({ routes: [{ name: 'all', match: {}, action }] }))
}

/** The processes that this one has started and that still run. */
function workerIds(): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
  return rows.split('\n').flatMap((row) => {
    const [pid, parent, stat = '', ...words] = row.trim().split(/\s+/)
    const isOurs = Number(parent) === process.pid && words.join(' ').includes('worker.js')
    return isOurs && !stat.startsWith('Z') ? [Number(pid)] : []
  })
}

async function isTaken(applied: Promise<void>): Promise<boolean> {
  try {
    await applied
    return true
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'ENGINE_FAILED')
    return false
  }
}

async function ask(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
  return await answer.text()
}
