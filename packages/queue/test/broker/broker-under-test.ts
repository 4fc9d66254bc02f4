import { createManualClock, seededRandom, silentLog } from '@drover/kernel'
import { Broker, type BrokerOptions } from '../../src/broker/broker.ts'
import { createBrokerHandler } from '../../src/broker/requests.ts'
import type { Disk, DiskFile } from '../../src/log/disk.ts'
import { encodeBatch } from '../../src/log/record.ts'
import { limitDefaults, logDefaults, topicDefaults } from '../../src/options.ts'
import type { TopicOptions } from '../../src/queue-engine.ts'

/** A broker over `disk` on a clock that the test moves, called as over the wire. */
export async function openBroker(disk: Disk, options: Partial<BrokerOptions> = {}) {
  const clock = createManualClock(1_700_000_000_000)
  const broker = new Broker({
    ...{ name: 'b0', disk, clock, random: seededRandom(1), log: silentLog },
    ...{ limits: limitDefaults, logOptions: logDefaults },
    ...options,
  })
  await broker.start()
  const handler = createBrokerHandler(broker)
  const never = new AbortController().signal
  const call = async (method: string, params: object, bytes: Buffer = Buffer.alloc(0)) =>
    handler(method, params, bytes, never)
  const own = (id: number, wishes: TopicOptions = {}) =>
    call('own', {
      spec: { id, topic: 't', index: id, epoch: 1, options: { ...topicDefaults, ...wishes } },
    })
  const produce = (id: number, ...values: string[]) =>
    call('produce', { id }, batchOf(...values)).then(({ result }) => result as { offset: number })
  return { broker, clock, call, own, produce }
}

export function batchOf(...values: string[]): Buffer {
  return encodeBatch(
    values.map((value) => ({ value: Buffer.from(value) })),
    limitDefaults,
  )
}

/** A disk whose every file's sync goes through `sync`, with the path. */
export function syncThrough(
  disk: Disk,
  sync: (path: string, real: () => Promise<void>) => Promise<void>,
): Disk {
  const wrap = (path: string, file: DiskFile): DiskFile => ({
    read: (target, position) => file.read(target, position),
    write: (parts, position) => file.write(parts, position),
    sync: () => sync(path, () => file.sync()),
    truncate: (bytes) => file.truncate(bytes),
    size: () => file.size(),
    close: () => file.close(),
  })
  return {
    ...delegate(disk),
    open: async (path) => wrap(path, await disk.open(path)),
    create: async (path) => wrap(path, await disk.create(path)),
  }
}

function delegate(disk: Disk): Disk {
  return {
    open: (path) => disk.open(path),
    create: (path) => disk.create(path),
    list: (folder) => disk.list(folder),
    makeFolder: (path) => disk.makeFolder(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    removeFolder: (path) => disk.removeFolder(path),
    syncFolder: (path) => disk.syncFolder(path),
    usage: () => disk.usage(),
  }
}
