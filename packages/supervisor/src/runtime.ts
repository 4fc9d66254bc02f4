import type { GroupSpec, LogLine } from './spec.ts'

/** What starts and ends replicas: processes, containers, or a memory twin for tests. */
export interface Runtime {
  /**
   * Starts one replica; resolves when it runs and its address is known (its port may not be open
   * yet). Rejects with a fault (SPAWN_FAILED, CONTAINER_FOREIGN, ENGINE_FAILED), and then nothing
   * of it is left.
   */
  spawn(order: SpawnOrder): Promise<Instance>
  /** Resolves when nothing is left of the replicas that have ended. */
  settle(): Promise<void>
  /** Lets go of what it holds open; nothing is spawned any more. */
  close(): void
}

/** Everything a runtime needs to know to start a replica. */
export interface SpawnOrder {
  readonly id: string
  readonly name: string
  /** What SERVER_ID says. */
  readonly serverId: string
  readonly spec: GroupSpec
  /** Takes what the replica printed; returns how many lines it ended. */
  readonly output: (stream: LogLine['stream'], chunk: Buffer) => number
  /** The replica said over a channel of its own (not in its output) that it is ready. */
  readonly onReady: () => void
}

/** A replica that was started. */
export interface Instance {
  readonly host: string
  readonly port: number
  readonly pid: number | undefined
  readonly container: string | undefined
  /** Resolves as soon as it has ended; after a signal, when all that it started has ended too. */
  readonly ended: Promise<Ending>
  /** Asks it to end; does nothing when it has. */
  signal(name: GroupSpec['stopSignal']): void
  /** Ends it and all that it started, now. */
  kill(): void
}

/** How a replica ended. */
export interface Ending {
  /** `exited with code 1`, `was killed by SIGKILL`. */
  readonly reason: string
  /** Another program holds the port that it was given: not its fault. */
  readonly portTaken: boolean
}

/** Returns the reason for an exit, as people read it. */
export function describeExit(code: number | null, signal: string | null): string {
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`
}

/** Returns the environment that every replica gets, whatever runs it. */
export function replicaEnv(order: SpawnOrder, host: string, port: number): Record<string, string> {
  return {
    ...order.spec.env,
    PORT: String(port),
    HOST: host,
    SERVER_ID: order.serverId,
    DROVER_REPLICA: order.name,
  }
}

/** Returns `words` with `{port}`, `{id}` and `{name}` filled in. */
export function fillIn(words: readonly string[], order: SpawnOrder, port: number): string[] {
  const values: Record<string, string> = {
    '{port}': String(port),
    '{id}': order.serverId,
    '{name}': order.name,
  }
  return words.map((word) => word.replaceAll(/\{(?:port|id|name)\}/g, (key) => values[key] ?? key))
}
