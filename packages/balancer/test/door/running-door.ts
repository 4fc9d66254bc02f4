import type { TestContext } from 'node:test'
import { createManualClock, type ManualClock, seededRandom } from '@drover/kernel'
import { createBuiltinEngine } from '../../src/door/builtin-engine.ts'
import type { Engine, EngineEvent, Plan, ServiceStats } from '../../src/plan.ts'
import { openClient, type Peer } from './peer.ts'

/** The builtin engine while a test runs. */
export interface RunningDoor {
  readonly engine: Engine
  readonly events: EngineEvent[]
  /** Moves time on; real time plays no part where a door was started by `startTimedDoor`. */
  readonly clock: ManualClock
  port(listener?: string): number
  client(listener?: string): Promise<Peer>
  service(name?: string): Promise<ServiceStats>
}

/** Starts the builtin engine on the machine's own clock; stopped when the test ends. */
export async function startDoor(t: TestContext, plan: Plan): Promise<RunningDoor> {
  return await run(t, plan, createBuiltinEngine(), createManualClock())
}

/** Starts the builtin engine on a clock that only the test moves. */
export async function startTimedDoor(t: TestContext, plan: Plan): Promise<RunningDoor> {
  const clock = createManualClock(Date.UTC(2026, 0, 1))
  const engine = createBuiltinEngine({ clock, random: seededRandom(1) })
  return await run(t, plan, engine, clock)
}

async function run(
  t: TestContext,
  plan: Plan,
  engine: Engine,
  clock: ManualClock,
): Promise<RunningDoor> {
  const events: EngineEvent[] = []
  engine.on((event) => events.push(event))
  await engine.start(plan)
  t.after(() => engine.stop(0))
  const port = (listener = 'front') => engine.ports()[listener] ?? 0
  return {
    engine,
    events,
    clock,
    port,
    client: (listener) => openClient(t, port(listener)),
    async service(name = 'web') {
      const { services } = await engine.stats()
      const found = services.find((service) => service.name === name)
      if (!found) throw new Error(`no service ${name}`)
      return found
    },
  }
}
