import { systemClock } from '@drover/kernel'
import { clearRun } from './clearing.ts'
import { isAlive, readRun } from './run-file.ts'

/**
 * The program that the watcher becomes when its supervisor has died: ends what the run noted in the
 * file of the first argument left. With `--wait` it waits for the end of its input itself.
 */
async function reap(file: string, wait: boolean): Promise<void> {
  if (wait && (await saidGoodbye())) return
  const note = readRun(file)
  if (!note) return
  // The pipe closes shortly before the process is gone.
  for (let looks = 0; looks < 100 && isAlive(note); looks++) await systemClock.sleep(50)
  if (!isAlive(note)) await clearRun(file, note, systemClock)
}

async function saidGoodbye(): Promise<boolean> {
  for await (const _chunk of process.stdin) return true
  return false
}

const [file = '', flag] = process.argv.slice(2)
await reap(file, flag === '--wait')
