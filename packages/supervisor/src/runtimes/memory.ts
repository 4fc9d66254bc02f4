import { fault } from '../errors.ts'
import type { Ending, Instance, Runtime, SpawnOrder } from '../runtime.ts'
import type { LogLine } from '../spec.ts'

/** A runtime without processes, for tests: the twin of the real ones. */
export interface MemoryRuntime extends Runtime {
  /** What runs now, oldest first. */
  readonly living: readonly MemoryInstance[]
  /** How many were ever started. */
  readonly spawnedTotal: number
  /** What the next replicas do; applies to those spawned from now on. */
  behave(behaviour: MemoryBehaviour): void
}

/** How replicas of a memory runtime behave. */
export interface MemoryBehaviour {
  /** They cannot be started at all. */
  readonly refuses?: boolean
  /** They end only by SIGKILL. */
  readonly stubborn?: boolean
  /** They run only when this resolves; until then `spawn` waits. */
  readonly slow?: Promise<void>
}

/** One replica in memory, and what a test does to it. */
export interface MemoryInstance extends Instance {
  readonly order: SpawnOrder
  /** The signals that it got, oldest first. */
  readonly signals: readonly string[]
  die(reason?: string, portTaken?: boolean): void
  print(text: string, stream?: LogLine['stream']): void
}

/** Returns a runtime that runs nothing. */
export function createMemoryRuntime(): MemoryRuntime {
  const living = new Set<MemoryInstance>()
  let behaviour: MemoryBehaviour = {}
  let spawnedTotal = 0
  return {
    get living() {
      return [...living]
    },
    get spawnedTotal() {
      return spawnedTotal
    },
    behave(next) {
      behaviour = next
    },
    async spawn(order) {
      const { refuses, slow } = behaviour
      await slow
      if (refuses) throw fault('SPAWN_FAILED', 'the program "nothing" was not found')
      const pid = ++spawnedTotal
      const instance = createInstance(order, pid, behaviour.stubborn ?? false, () =>
        living.delete(instance),
      )
      living.add(instance)
      return instance
    },
    async settle() {},
    close() {},
  }
}

function createInstance(
  order: SpawnOrder,
  pid: number,
  stubborn: boolean,
  onEnd: () => void,
): MemoryInstance {
  const ended = Promise.withResolvers<Ending>()
  const signals: string[] = []
  const end = (reason: string, portTaken = false) => {
    onEnd()
    ended.resolve({ reason, portTaken })
  }
  return {
    order,
    host: '127.0.0.1',
    port: 10_000 + pid,
    pid,
    container: undefined,
    ended: ended.promise,
    signals,
    signal(name) {
      signals.push(name)
      if (!stubborn) end('exited with code 0')
    },
    kill() {
      signals.push('SIGKILL')
      end('was killed by SIGKILL')
    },
    die: (reason = 'exited with code 1', portTaken) => end(reason, portTaken),
    print: (text, stream = 'stdout') => order.output(stream, Buffer.from(`${text}\n`)),
  }
}
