import type { Clock } from '@drover/kernel'
import { createLineSplitter } from './lines.ts'
import type { LogLine } from './spec.ts'

/** Dead replicas whose output is still kept. */
const deadKeptMax = 20

/** What one line costs beside its text, in bytes; an estimate, so that empty lines count too. */
const lineOverheadBytes = 64

/** The output of a group's replicas: the last of each, living or lately dead. */
export interface Output {
  /** Begins to keep the output of a new replica. */
  open(id: string, name: string): ReplicaOutput
  /** The kept lines of the replicas called `name`, or of all, oldest first. */
  lines(name?: string): readonly LogLine[]
  follow(listener: (line: LogLine) => void): () => void
}

/** Where a runtime writes what a replica prints. */
export interface ReplicaOutput {
  /** Returns how many lines `chunk` ended. */
  write(stream: LogLine['stream'], chunk: Buffer): number
  /** The replica has ended; what it printed last is kept for a while. */
  end(): void
}

interface Kept {
  readonly name: string
  readonly lines: { readonly order: number; readonly line: LogLine }[]
  bytes: number
}

/**
 * Returns an empty output. `bytesMax` bounds what is kept for each replica; `onLine` hears each line
 * before the followers do. A follower is called at once and must not wait: nobody queues for it.
 */
export function createOutput(
  clock: Clock,
  bytesMax: () => number,
  onLine: (id: string, line: LogLine) => void,
): Output {
  const living = new Map<string, Kept>()
  const dead: Kept[] = []
  const followers = new Set<(line: LogLine) => void>()
  let order = 0

  const keep = (kept: Kept, line: LogLine) => {
    kept.lines.push({ order: order++, line })
    kept.bytes += costBytes(line)
    if (kept.bytes > bytesMax()) dropOldest(kept, bytesMax())
  }
  const open = (id: string, name: string): ReplicaOutput => {
    const kept: Kept = { name, lines: [], bytes: 0 }
    living.set(id, kept)
    const splitter = (stream: LogLine['stream']) =>
      createLineSplitter((text) => {
        const line = { atMs: clock.now(), replica: name, stream, text }
        keep(kept, line)
        onLine(id, line)
        for (const follower of followers) follower(line)
      })
    const splitters = { stdout: splitter('stdout'), stderr: splitter('stderr') }
    return {
      write: (stream, chunk) => splitters[stream].push(chunk),
      end() {
        splitters.stdout.end()
        splitters.stderr.end()
        if (!living.delete(id)) return
        dead.push(kept)
        if (dead.length > deadKeptMax) dead.shift()
      },
    }
  }

  return {
    open,
    lines: (name) =>
      [...dead, ...living.values()]
        .filter((kept) => name === undefined || kept.name === name)
        .flatMap((kept) => kept.lines)
        .sort((one, other) => one.order - other.order)
        .map(({ line }) => line),
    follow(listener) {
      // Wrapped, so that a listener given twice is two followers.
      const follower = (line: LogLine) => listener(line)
      followers.add(follower)
      return () => followers.delete(follower)
    },
  }
}

function costBytes(line: LogLine): number {
  return line.text.length * 2 + lineOverheadBytes
}

/** Drops the oldest quarter more than needed, so that the cost per line stays constant. */
function dropOldest(kept: Kept, bytesMax: number): void {
  let count = 0
  for (const { line } of kept.lines) {
    if (kept.bytes <= bytesMax * 0.75) break
    kept.bytes -= costBytes(line)
    count++
  }
  kept.lines.splice(0, count)
}
