import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Engine, EngineEvent, Plan, PolicyName } from '../../src/plan.ts'
import { type Ask, ask } from './client.ts'
import { type Seen, startReplica, type TestReplica } from './replica.ts'

/** An engine under test. */
export interface EngineSubject {
  readonly name: Engine['name']
  create(): Engine
  /** The policies that it has; the others are refused. */
  readonly policies: readonly PolicyName[]
  /**
   * It closes idle client connections when its plan changes, so that a GET may cross with that and
   * be repeated by the client (RFC 9110, section 9.2.2).
   */
  readonly closesIdle?: boolean
}

/** A running engine, its replicas, and what it told. */
export interface Running {
  readonly engine: Engine
  readonly port: number
  readonly events: EngineEvent[]
}

/** Starts an engine with `plan`, which is stopped when the test ends. */
export async function run(
  context: TestContext,
  subject: EngineSubject,
  plan: Plan,
): Promise<Running> {
  const engine = subject.create()
  const events: EngineEvent[] = []
  engine.on((event) => events.push(event))
  context.after(() => engine.stop(0))
  await engine.start(plan)
  return { engine, port: engine.ports().front ?? 0, events }
}

/** Starts replicas of these names, which are stopped when the test ends. */
export async function replicas(
  context: TestContext,
  ...names: readonly string[]
): Promise<TestReplica[]> {
  const started = await Promise.all(names.map((name) => startReplica(name)))
  context.after(() => Promise.all(started.map((replica) => replica.stop())))
  return started
}

export const plansOf = (list: readonly TestReplica[]) => list.map(({ plan }) => plan)

/** Returns what the replica says that it saw of a request. */
export async function seen(port: number, path: string, how: Ask = {}): Promise<Seen> {
  const { status, body } = await ask(port, path, how)
  assert.equal(status, 200, body)
  return JSON.parse(body)
}

/** Counts by name who answers `count` requests, sent one after the other. */
export async function spread(port: number, count: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let sent = 0; sent < count; sent++) {
    const { name } = await seen(port, '/')
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
