import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@drover/kernel'
import { fault } from './errors.ts'
import { createNodeDisk } from './log/node-disk.ts'
import { type Repair, repairLog } from './log/repair.ts'
import { lockFolder } from './manager/folder-lock.ts'

/** A repair, and the folder that its paths are relative to. */
export interface FolderRepair extends Repair {
  readonly folder: string
}

/**
 * Repairs the files of the manager and of every broker below `dataFolder`; see `repairLog`. Throws
 * FOLDER_IN_USE while the queue runs, LOG_DAMAGED for a spoilt snapshot, DISK_FAILED.
 */
export async function repairQueue(dataFolder: string): Promise<readonly FolderRepair[]> {
  if (!(await isFolder(join(dataFolder, 'manager'))))
    throw fault('DISK_FAILED', `${dataFolder} holds no queue`)
  const unlock = await lockFolder(dataFolder, systemClock)
  try {
    const repairs: FolderRepair[] = []
    for (const folder of await storesIn(dataFolder))
      for (const repair of await repairLog(createNodeDisk(folder)))
        repairs.push({ ...repair, folder })
    return repairs
  } finally {
    await unlock()
  }
}

/** A broker that is a process keeps its store in a folder `data` of its own. */
async function storesIn(dataFolder: string): Promise<string[]> {
  const brokers = join(dataFolder, 'brokers')
  const names = (await isFolder(brokers)) ? await readdir(brokers) : []
  const stores = [join(dataFolder, 'manager')]
  for (const name of names.sort()) {
    const inner = join(brokers, name, 'data')
    stores.push((await isFolder(inner)) ? inner : join(brokers, name))
  }
  return stores
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}
