/** What a group of replicas runs, and how it is kept alive. Plain JSON. */
export interface GroupSpec {
  /** The service that the replicas belong to. */
  readonly name: string
  readonly runtime: RuntimeSpec
  /** How many replicas should run. */
  readonly replicas: number
  /** Added to the environment of each, beside PORT, HOST, SERVER_ID and DROVER_REPLICA. */
  readonly env: Readonly<Record<string, string>>
  /** Names begin with it: `Server 1`. SERVER_ID is the name without it. Default `Server `. */
  readonly namePrefix: string
  /** A replica that is not ready after this long is replaced. */
  readonly startTimeoutMs: number
  /** From the stop signal to SIGKILL. */
  readonly stopTimeoutMs: number
  readonly stopSignal: 'SIGTERM' | 'SIGINT' | 'SIGQUIT'
  /** How long a replica may finish its requests before it is told to stop. */
  readonly drainTimeoutMs: number
  /**
   * Whether a rolling restart starts the new replica before the old one stops, so that there is
   * never one below the wanted number; or after, for what two cannot have at once: a port, a folder.
   */
  readonly restartOrder: 'start-first' | 'stop-first'
  /** The first replacement of a replica comes at once; of one that keeps dying, after these waits. */
  readonly backoff: { readonly firstMs: number; readonly mostMs: number }
  /** A replica that lived this long has proved itself: the next death is the first again. */
  readonly stableAfterMs: number
  /** Bytes of output kept in memory for each replica, living or lately dead. */
  readonly logBytesMax: number
  readonly autoscale?: AutoscaleSpec
}

export type RuntimeSpec =
  | {
      readonly kind: 'process'
      /** The program and its arguments; `{port}`, `{id}` and `{name}` in them are filled in. */
      readonly command: readonly string[]
      readonly cwd?: string
    }
  | {
      readonly kind: 'docker'
      readonly image: string
      /** Replaces the image's command; empty keeps it. */
      readonly command: readonly string[]
      /** The port inside the container; published on a free port of 127.0.0.1. */
      readonly containerPort: number
      /** The engine's socket. Default /var/run/docker.sock, or DOCKER_HOST when it names a socket. */
      readonly socket?: string
    }

export interface AutoscaleSpec {
  readonly least: number
  readonly most: number
  /** Requests under way per replica that the group is sized for. */
  readonly inFlightTarget: number
  /** From any change to the next growth. */
  readonly growCooldownMs: number
  /** From any change to the next shrinking; and the time whose highest load must fit what is left. */
  readonly shrinkCooldownMs: number
}

/**
 * One replica as the supervisor sees it. Whether it should get requests is the front door's
 * matter; here it is alive or not.
 *
 *   starting ──▶ running ──▶ draining ──▶ stopping ──▶ gone
 *      └───────────┴─────────── died ────────────────────▲
 */
export interface ReplicaInfo {
  /** Unique for ever: `web/Server 1`; a name that is used again gets a number: `web/S5~2`. */
  readonly id: string
  readonly group: string
  readonly name: string
  readonly host: string
  /** 0 until it was spawned. */
  readonly port: number
  readonly state: 'starting' | 'running' | 'draining' | 'stopping' | 'gone'
  /** Process id, or that of the container's first process; undefined before it runs. */
  readonly pid: number | undefined
  /** Container id, for docker. */
  readonly container: string | undefined
  readonly startedAtMs: number
  /** How often this place in the group had to be filled again since it was last stable. */
  readonly restarts: number
}

/** What happens to replicas; the front door is told by these. */
export type GroupEvent =
  /** It runs and has an address; its port may not be open yet. */
  | { readonly kind: 'spawned'; readonly replica: ReplicaInfo }
  /** It said by itself that it is ready (a message over IPC, or `READY=1` as a line of output). */
  | { readonly kind: 'said-ready'; readonly replica: ReplicaInfo }
  /** Send it nothing new; it is about to be stopped. */
  | { readonly kind: 'draining'; readonly replica: ReplicaInfo; readonly reason: string }
  /** It has ended: died by itself, or was stopped. */
  | {
      readonly kind: 'gone'
      readonly replica: ReplicaInfo
      readonly expected: boolean
      readonly reason: string
    }
  /** It dies again and again; the next try comes after `waitMs`. */
  | {
      readonly kind: 'crash-loop'
      readonly group: string
      readonly waitMs: number
      /** Deaths in this place since it was last stable. */
      readonly restarts: number
      readonly reason: string
    }
  /** A rolling restart ended early: a new replica did not become ready. The old ones stay. */
  | { readonly kind: 'roll-stopped'; readonly group: string; readonly reason: string }
  | {
      readonly kind: 'scaled'
      readonly group: string
      readonly replicas: number
      readonly reason: string
    }

/** What the supervisor asks of whoever sends the requests (the front door, wired by `drover`). */
export interface Traffic {
  /** Resolves when the replica gets requests; rejects when the signal aborts first. */
  whenReady(replicaId: string, signal: AbortSignal): Promise<void>
  /** Resolves when a draining replica has nothing under way, or when the signal aborts. */
  whenDrained(replicaId: string, signal: AbortSignal): Promise<void>
}

/** The calls on a running group. All of them are safe to repeat and to overlap. */
export interface Group {
  readonly spec: GroupSpec
  replicas(): readonly ReplicaInfo[]
  /** Starts the spec's number of replicas; resolves when all were spawned (not: are ready). */
  start(): Promise<void>
  /** Stops all, draining first, and resolves when none is left. */
  stop(): Promise<void>
  /**
   * Runs `count` replicas from now on; new ones get the next numbers as names. Resolves when the new
   * ones were spawned; those removed drain meanwhile. Throws SCALE_INVALID.
   */
  scale(count: number, reason: string): Promise<void>
  /**
   * Adds `count` replicas, the first with the given names. Throws SCALE_INVALID, NAMES_TOO_MANY,
   * NAME_TWICE, NAME_INVALID or NAME_TAKEN, and then adds none.
   */
  add(count: number, names: readonly string[]): Promise<readonly ReplicaInfo[]>
  /**
   * Removes `count` replicas, those named and then others at random; they drain afterwards. Throws
   * SCALE_INVALID, NAMES_TOO_MANY, NAME_TWICE, REPLICAS_TOO_FEW or UNKNOWN_REPLICA, and then removes
   * none.
   */
  remove(count: number, names: readonly string[]): Promise<readonly ReplicaInfo[]>
  /**
   * Replaces each replica by a new one, one after the other: new ready, then old drained and stopped.
   * Resolves when all are new; throws ROLL_STOPPED when a new one does not become ready.
   */
  rollingRestart(reason: string): Promise<void>
  /**
   * Ends a replica that does not answer, without draining, and puts a new one in its place: at once
   * the first time, then by the rules of crash loops. One that is gone or leaving is left alone.
   */
  replace(replicaId: string, reason: string): Promise<void>
  /**
   * Takes up a changed spec; replicas that must run something else are replaced one by one. Throws
   * ROLL_STOPPED when a new one does not become ready; the old runtime and environment then stay.
   */
  apply(spec: GroupSpec): Promise<void>
  /** Tells how many requests are under way at all replicas together; autoscaling lives on it. */
  observeLoad(inFlight: number): void
  /** The kept output of a replica (or of all), oldest first. */
  logs(replicaName?: string): readonly LogLine[]
  /** Calls `listener` for each new line until the returned function is called. */
  follow(listener: (line: LogLine) => void): () => void
}

export interface LogLine {
  readonly atMs: number
  readonly replica: string
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}
