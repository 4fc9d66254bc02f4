import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupEvent } from '@drover/supervisor'
import fc from 'fast-check'
import { createMemoryGroup } from './fixtures/memory-group.ts'

type Made = ReturnType<typeof createMemoryGroup>

/** What may happen to a group, in any order; `at` chooses a replica. */
const steps = {
  scale: ({ group }: Made, at: number) => group.scale(at % 7, 'test'),
  add: ({ group }: Made, at: number) => group.add(1 + (at % 2), at % 3 === 0 ? [`S${at % 5}`] : []),
  remove: ({ group }: Made, at: number) => group.remove(1 + (at % 3), []),
  roll: ({ group }: Made) => group.rollingRestart('test'),
  apply: ({ group }: Made, at: number) => group.apply({ ...group.spec, env: { A: `${at % 3}` } }),
  replace: ({ group }: Made, at: number) => group.replace(idAt(group.replicas(), at), 'test'),
  die: async ({ runtime }: Made, at: number) => itemAt(runtime.living, at)?.die(),
  losePort: async ({ runtime }: Made, at: number) =>
    itemAt(runtime.living, at)?.die('port taken', true),
  ready: async ({ group, traffic }: Made, at: number) => traffic.ready(idAt(group.replicas(), at)),
  drained: async ({ group, traffic }: Made, at: number) =>
    traffic.drained(idAt(group.replicas(), at)),
  behaveBadly: async ({ runtime }: Made, at: number) =>
    runtime.behave(at % 2 === 0 ? { refuses: true } : { stubborn: true }),
  behaveWell: async ({ runtime }: Made) => runtime.behave({}),
  wait: ({ clock }: Made, at: number) => clock.advance((at % 8) * 1_000),
}

function itemAt<Item>(items: readonly Item[], at: number): Item | undefined {
  return items[at % Math.max(1, items.length)]
}

function idAt(replicas: readonly { readonly id: string }[], at: number): string {
  return itemAt(replicas, at)?.id ?? 'none'
}

const anyStep = fc.tuple(
  fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])),
  fc.nat(1_000),
)
const anySteps = fc.array(anyStep, { maxLength: 60 })
const anyOrder = fc.constantFrom('start-first', 'stop-first')

/** The outside hears of each replica's life in order, and of each part of it once. */ function checkStories(
  events: readonly GroupEvent[],
): void {
  const stories = new Map<string, string>()
  for (const event of events) {
    if (!('replica' in event)) continue
    const story = stories.get(event.replica.id)
    stories.set(event.replica.id, `${story ? `${story} ` : ''}${event.kind}`)
    if (event.kind === 'gone' && event.expected) assert.match(story ?? '', /draining/)
  }
  for (const [id, story] of stories) assert.match(story, /^spawned( draining)?( gone)?$/, id)
}

function checkGroup({ group, runtime, events }: Made): void {
  const replicas = group.replicas()
  const names = replicas.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length, `a name twice: ${names}`)
  const placed = replicas.filter(({ state }) => state === 'starting' || state === 'running')
  assert.ok(placed.length <= group.spec.replicas + 1, 'more than one above the number')
  for (const { order } of runtime.living) assert.ok(names.includes(order.name), order.name)
  checkStories(events)
}

test('whatever happens in whatever order, the group comes to run what is wanted, and stops', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), anySteps, anyOrder, async (seed, todo, restartOrder) => {
      const made = createMemoryGroup({ replicas: 2, startTimeoutMs: 5_000, restartOrder }, seed)
      const { group, runtime, traffic, clock, settle } = made
      await group.start()
      traffic.readyAtOnce = false
      traffic.drainedAtOnce = false
      const calls: Promise<unknown>[] = []
      for (const [name, at] of todo) {
        // Refusals are part of the game: too many to remove, a name that is taken, a roll that stops.
        const call = steps[name](made, at).catch(() => {})
        if (name === 'wait') await call
        else calls.push(call)
        await settle()
        checkGroup(made)
      }

      runtime.behave({})
      traffic.readyAtOnce = true
      traffic.drainedAtOnce = true
      for (let minutes = 0; minutes < 10; minutes++) await clock.advance(60_000)
      await Promise.all(calls)
      checkGroup(made)
      const states = group.replicas().map(({ state }) => state)
      assert.deepEqual(states, Array(group.spec.replicas).fill('running'))
      assert.equal(runtime.living.length, states.length)
      const versions = new Set(runtime.living.map(({ order }) => order.spec.env.A))
      assert.ok(versions.size <= 2, 'a stopped roll leaves two versions at most')

      const stopped = group.stop()
      await clock.advance(60_000)
      await stopped
      assert.equal(runtime.living.length, 0)
      assert.equal(clock.pending, 0)
      checkStories(made.events)
    }),
    { numRuns: 300 },
  )
})
