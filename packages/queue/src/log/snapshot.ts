import { crc32 } from 'node:zlib'
import { fault } from '../errors.ts'
import type { Disk } from './disk.ts'
import type { Flushed, PartitionLog } from './partition-log.ts'

/** What a snapshot keeps about one partition's log. */
interface KeptPartition {
  readonly id: number
  readonly folder: string
  /** The number of the event that opened it. */
  readonly opened: number
  readonly start: number
  /** Batches before this offset are reflected in `state`. */
  readonly applied: number
  readonly flushed: Flushed | undefined
}

/** All that the write-ahead files before it would tell. */
export interface Snapshot {
  /** The number of the last event reflected in `state`. */
  readonly sequence: number
  readonly partitions: readonly KeptPartition[]
  readonly state: unknown
}

/** The state of one moment, on its way into a snapshot. */
export interface Capture {
  readonly sequence: number
  readonly state: string
  readonly partitions: readonly { log: PartitionLog; applied: number; upTo: number }[]
  /** Everything that the state reflects is durable once the loop has come this far. */
  readonly mark: number
  readonly durable: Promise<void>
}

/** Returns the body of a snapshot; what is flushed is looked up now, the rest is from the capture. */
export function snapshotBody(
  sequence: number,
  captured: Capture['partitions'],
  state: string,
): string {
  const partitions = captured.map(({ log, applied }): KeptPartition => {
    const { id, folder, opened, start, flushed } = log
    return { id, folder, opened, start, applied, flushed }
  })
  return `{"sequence":${sequence},"partitions":${JSON.stringify(partitions)},"state":${state}}`
}

/**
 * Writes a snapshot so that there is always a whole one: one line `{"format":"drover-queue-state",
 * "version":1,"bytes":…,"crc":…}`, then the body as JSON.
 */
export async function writeSnapshot(disk: Disk, sequence: number, body: string): Promise<string> {
  const path = snapshotPath(sequence)
  const bytes = Buffer.from(body)
  const about = { format: 'drover-queue-state', version: 1, bytes: bytes.length, crc: crc32(bytes) }
  const file = await disk.create('state.tmp')
  try {
    await file.write([Buffer.from(`${JSON.stringify(about)}\n`), bytes], 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename('state.tmp', path)
  await disk.syncFolder('.')
  return path
}

/** Returns the newest snapshot; undefined in an empty folder. Throws LOG_DAMAGED, FORMAT_UNKNOWN. */
export async function readSnapshot(disk: Disk): Promise<Snapshot | undefined> {
  const newest = (await disk.list('.')).filter(isSnapshot).at(-1)
  if (newest === undefined) return undefined
  const file = await disk.open(newest)
  const bytes = Buffer.alloc(await file.size())
  await file.read(bytes, 0)
  await file.close()
  const lineEnd = bytes.indexOf(10)
  const about = parse(bytes.subarray(0, Math.max(0, lineEnd)))
  const body = bytes.subarray(lineEnd + 1)
  if (about?.format === 'drover-queue-state' && about.version !== 1)
    throw fault('FORMAT_UNKNOWN', `${newest}: version ${about.version}`)
  if (about?.bytes !== body.length || about.crc !== crc32(body))
    throw fault('LOG_DAMAGED', `${newest}: its bytes are not what was written`)
  return JSON.parse(body.toString()) as Snapshot
}

function parse(line: Buffer): { [key: string]: unknown } | undefined {
  try {
    return JSON.parse(line.toString())
  } catch {
    // Its caller reports a line that is no JSON as damage.
    return undefined
  }
}

export function isSnapshot(name: string): boolean {
  return /^state-\d{16}\.json$/.test(name)
}

function snapshotPath(sequence: number): string {
  return `state-${String(sequence).padStart(16, '0')}.json`
}
