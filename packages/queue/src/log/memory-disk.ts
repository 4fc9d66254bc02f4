import type { Disk, DiskFile, DiskUsage } from './disk.ts'

/** What a power cut does to one operation that was not synced. */
export type Fate = 'kept' | 'dropped' | 'torn-1' | 'torn-512' | 'zeroed' | 'stale'
const writeFates: readonly Fate[] = ['kept', 'dropped', 'torn-1', 'torn-512', 'zeroed', 'stale']
const nameFates: readonly Fate[] = ['kept', 'dropped']

/** How an operation fails: `short` writes half of the bytes, then says ENOSPC. */
export type DiskFailure = 'EIO' | 'ENOSPC' | 'short'

/** One operation that a power cut may undo. */
export type PendingOp =
  | {
      readonly kind: 'write'
      readonly file: Inode
      readonly position: number
      readonly bytes: Buffer
    }
  | { readonly kind: 'truncate'; readonly file: Inode; readonly bytes: number }
  | { readonly kind: 'name'; readonly path: string; readonly file: Inode | undefined }

const keepAll = (): Fate => 'kept'

/** What a name stands for: the bytes of a file, or a folder. */
class Inode {
  readonly folder: boolean
  /** As written, synced or not. */
  bytes: Buffer = Buffer.alloc(0)
  /** As a power cut would surely leave it. */
  durable: Buffer = Buffer.alloc(0)
  /** Operations since the last sync. */
  pending: PendingOp[] = []

  constructor(folder: boolean) {
    this.folder = folder
  }
}

/** Where a memory disk waits and fails. */
export interface MemoryDiskOptions {
  /** Called before each operation; lets a simulation make the disk slow. Default: no wait. */
  readonly wait?: () => Promise<void>
  readonly totalBytes?: number
}

/**
 * The twin of the disk in memory. It records every operation since the last sync; `crash` makes the
 * disk that a power cut leaves, each of those operations meeting the fate that the caller chooses.
 * After a failed sync the bytes look written but no later sync makes them last, as on Linux.
 */
export class MemoryDisk implements Disk {
  readonly #names = new Map<string, Inode>()
  /** The names that a power cut leaves. */
  readonly #durableNames = new Map<string, Inode>()
  #pendingNames: Extract<PendingOp, { kind: 'name' }>[] = []
  /** Contents of removed files, which stale blocks show again. */
  readonly #removed: Buffer[] = []
  readonly #options: MemoryDiskOptions
  #failAt = Number.POSITIVE_INFINITY
  #failure: DiskFailure = 'EIO'
  #powerless = false
  /** Operations that change something, so far. */
  changes = 0

  constructor(options: MemoryDiskOptions = {}) {
    this.#options = options
  }

  /** Makes the change number `change` (1 is the next) fail. */
  failAt(change: number, failure: DiskFailure): void {
    this.#failAt = this.changes + change
    this.#failure = failure
  }

  /** Takes back `failAt`. */
  heal(): void {
    this.#failAt = Number.POSITIVE_INFINITY
  }

  /** Everything that a power cut now might undo, in the order it was done in each file. */
  pending(): PendingOp[] {
    const files = new Set([...this.#names.values(), ...this.#durableNames.values()])
    return [...this.#pendingNames, ...[...files].flatMap((file) => file.pending)]
  }

  /** Returns the disk after a power cut. This one then fails every call, as for a dead process. */
  crash(choose: (op: PendingOp, index: number) => Fate, options = this.#options): MemoryDisk {
    const fates = new Map<PendingOp, Fate>(
      this.pending().map((op, index) => [op, choose(op, index)]),
    )
    const survivor = new MemoryDisk(options)
    const copies = new Map<Inode, Inode>()
    const copy = (file: Inode): Inode => {
      const known = copies.get(file)
      if (known) return known
      const made = new Inode(file.folder)
      made.durable = copied(this.#contentAfter(file, (op) => fates.get(op) ?? 'dropped'))
      made.bytes = copied(made.durable)
      copies.set(file, made)
      return made
    }
    const names = new Map(this.#durableNames)
    for (const op of this.#pendingNames)
      if (fates.get(op) === 'kept') applyName(names, op.path, op.file)
    for (const [path, file] of names) {
      if (!hasParents(names, path)) continue
      survivor.#names.set(path, copy(file))
      survivor.#durableNames.set(path, copy(file))
    }
    survivor.#removed.push(...this.#removed)
    this.#powerless = true
    return survivor
  }

  /** Calls each of the likely crash states once, up to `statesMax` of them. */
  *crashStates(statesMax = 10_000): Generator<MemoryDisk> {
    const ops = this.pending()
    let made = 0
    const make = (fateOf: (index: number) => Fate) => {
      made++
      const state = this.crash((_, index) => fateOf(index))
      this.#powerless = false
      return state
    }
    yield make(() => 'kept')
    yield make(() => 'dropped')
    for (const [at, op] of ops.entries())
      for (const fate of op.kind === 'write' ? writeFates : nameFates)
        for (const rest of nameFates) {
          if (made >= statesMax) return
          yield make((index) => (index === at ? fate : index < at ? 'kept' : rest))
          yield make((index) => (index === at ? fate : rest))
        }
  }

  async open(path: string): Promise<DiskFile> {
    await this.#turn()
    const file = this.#names.get(path)
    if (!file || file.folder) throw systemError('ENOENT', path)
    return this.#handle(file)
  }

  async create(path: string): Promise<DiskFile> {
    await this.#change(path)
    this.#setName(path, new Inode(false))
    return this.#handle(this.#names.get(path) as Inode)
  }

  async list(folder: string): Promise<string[]> {
    await this.#turn()
    const prefix = folder === '' || folder === '.' ? '' : `${folder}/`
    return [...this.#names.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map((path) => path.slice(prefix.length))
      .sort()
  }

  async makeFolder(path: string): Promise<void> {
    await this.#change(path)
    for (const parent of parentsOf(`${path}/x`))
      if (!this.#names.has(parent)) this.#setName(parent, new Inode(true))
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#change(from)
    const file = this.#names.get(from)
    if (!file) throw systemError('ENOENT', from)
    this.#setName(to, file)
    this.#setName(from, undefined)
  }

  async remove(path: string): Promise<void> {
    await this.#change(path)
    const file = this.#names.get(path)
    if (!file) return
    this.#removed.push(file.bytes)
    if (this.#removed.length > 16) this.#removed.shift()
    this.#setName(path, undefined)
  }

  async removeFolder(path: string): Promise<void> {
    await this.#change(path)
    for (const name of [...this.#names.keys()])
      if (name === path || name.startsWith(`${path}/`)) this.#setName(name, undefined)
  }

  async syncFolder(path: string): Promise<void> {
    await this.#change(path)
    const folder = path === '' ? '.' : path
    for (const op of this.#pendingNames)
      if (folderOf(op.path) === folder) applyName(this.#durableNames, op.path, op.file)
    this.#pendingNames = this.#pendingNames.filter((op) => folderOf(op.path) !== folder)
  }

  async usage(): Promise<DiskUsage> {
    const totalBytes = this.#options.totalBytes ?? 2 ** 40
    let used = 0
    for (const file of this.#names.values()) used += file.bytes.length
    return { totalBytes, freeBytes: Math.max(0, totalBytes - used) }
  }

  /** Changes one byte of a file where it lies, as a failing disk does. */
  flip(path: string, position: number, mask = 1): void {
    for (const names of [this.#names, this.#durableNames]) {
      const file = names.get(path)
      if (!file || position >= file.bytes.length) continue
      if (names === this.#durableNames && file === this.#names.get(path)) continue
      file.bytes[position] = (file.bytes[position] ?? 0) ^ mask
      file.durable = copied(file.bytes)
    }
  }

  /** Shortens a file where it lies. */
  cut(path: string, bytes: number): void {
    const file = this.#names.get(path)
    if (!file) throw systemError('ENOENT', path)
    file.bytes = resized(file.bytes, bytes)
    file.durable = copied(file.bytes)
    file.pending = []
  }

  /** Returns a copy of the bytes of a file, synced or not. */
  content(path: string): Buffer {
    return Buffer.from(this.#names.get(path)?.bytes ?? [])
  }

  /** Names of all files, for tests. */
  paths(): string[] {
    return [...this.#names].filter(([, file]) => !file.folder).map(([path]) => path)
  }

  #contentAfter(file: Inode, fateOf: (op: PendingOp) => Fate): Buffer {
    // Applied to a copy unless all is kept: this disk may be asked for another crash state.
    let bytes = fateOf === keepAll ? file.durable : copied(file.durable)
    for (const op of file.pending) {
      const fate = fateOf(op)
      if (op.kind === 'truncate' && fate !== 'dropped') bytes = resized(bytes, op.bytes)
      if (op.kind === 'write') bytes = this.#afterFate(bytes, op.position, op.bytes, fate)
    }
    return bytes
  }

  #afterFate(bytes: Buffer, position: number, written: Buffer, fate: Fate): Buffer {
    if (fate === 'dropped') return bytes
    if (fate === 'kept') return overlaid(bytes, position, written)
    if (fate === 'torn-1') return overlaid(bytes, position, written.subarray(0, -1))
    if (fate === 'torn-512') {
      const cut = Math.max(0, Math.floor((position + written.length - 1) / 512) * 512 - position)
      return overlaid(bytes, position, written.subarray(0, cut))
    }
    // The size grew but the blocks behind it hold zeros, or what lay there before.
    const old = Buffer.alloc(written.length)
    if (fate === 'stale') {
      const before = this.#removed.at(-1) ?? Buffer.alloc(0)
      before.subarray(position, position + written.length).copy(old)
    }
    return overlaid(bytes, position, old)
  }

  #setName(path: string, file: Inode | undefined): void {
    applyName(this.#names, path, file)
    this.#pendingNames.push({ kind: 'name', path, file })
  }

  async #turn(): Promise<void> {
    if (this.#options.wait) await this.#options.wait()
    if (this.#powerless) throw systemError('EIO', 'no power')
  }

  /** Every operation that changes something passes here; returns whether it must be a short write. */
  async #change(what: string): Promise<boolean> {
    await this.#turn()
    this.changes++
    if (this.changes < this.#failAt) return false
    this.#failAt = Number.POSITIVE_INFINITY
    if (this.#failure === 'short') return true
    throw systemError(this.#failure, what)
  }

  #handle(file: Inode): DiskFile {
    const put = (position: number, bytes: Buffer) => {
      file.bytes = overlaid(file.bytes, position, bytes)
      file.pending.push({ kind: 'write', file, position, bytes })
    }
    return {
      read: async (target, position) => {
        await this.#turn()
        return file.bytes.copy(target, 0, position, position + target.length)
      },
      write: async (parts, position) => {
        const whole = Buffer.concat(parts)
        const short = await this.#change('write')
        if (!short) return put(position, whole)
        put(position, whole.subarray(0, whole.length >> 1))
        throw systemError('ENOSPC', 'write')
      },
      sync: async () => {
        const pending = file.pending
        // A failed sync leaves the pages marked clean: what was pending is then lost for good.
        file.pending = []
        if (await this.#change('sync')) throw systemError('EIO', 'sync')
        file.durable = this.#contentAfter({ ...file, pending }, keepAll)
      },
      truncate: async (bytes) => {
        await this.#change('truncate')
        file.bytes = resized(file.bytes, bytes)
        file.pending.push({ kind: 'truncate', file, bytes })
      },
      size: async () => {
        await this.#turn()
        return file.bytes.length
      },
      close: async () => {},
    }
  }
}

function applyName(names: Map<string, Inode>, path: string, file: Inode | undefined): void {
  if (file) names.set(path, file)
  else names.delete(path)
}

function parentsOf(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

function hasParents(names: ReadonlyMap<string, Inode>, path: string): boolean {
  return parentsOf(path).every((parent) => names.has(parent))
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '.' : path.slice(0, slash)
}

/** Buffers made here, which nobody else shares, with room to grow. */
const owned = new WeakSet<ArrayBufferLike>()

function allocate(bytes: number): Buffer {
  const backing = new ArrayBuffer(Math.max(1_024, bytes * 2))
  owned.add(backing)
  return Buffer.from(backing, 0, bytes)
}

function copied(bytes: Buffer): Buffer {
  const copy = allocate(bytes.length)
  bytes.copy(copy)
  return copy
}

function resized(bytes: Buffer, length: number): Buffer {
  const changed = allocate(length)
  bytes.copy(changed)
  return changed
}

/** `bytes` with `written` over it at `position`, in place where there is room. */
function overlaid(bytes: Buffer, position: number, written: Buffer): Buffer {
  const end = Math.max(bytes.length, position + written.length)
  const inPlace = owned.has(bytes.buffer) && end <= bytes.buffer.byteLength
  const target = inPlace ? Buffer.from(bytes.buffer as ArrayBuffer, 0, end) : resized(bytes, end)
  if (inPlace) target.fill(0, bytes.length, Math.max(bytes.length, position))
  written.copy(target, position)
  return target
}

function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}
