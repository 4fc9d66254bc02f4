import { setTimeout as sleep } from 'node:timers/promises'
import { clearRun } from './clear-run.ts'
import type { Timing } from './leftovers.ts'
import { isAlive, parseRun, readRun } from './run-note.ts'

// Nothing of the kernel is loaded here: the web server that comes with it takes a quarter of a second,
// and replicas live as long.
const timing: Timing = { sleep: (delayMs) => sleep(delayMs) }

/**
 * The program that the watcher becomes when its supervisor has died: ends what the run noted in the
 * file of the first argument left; when that is gone, what the note of the second names. With
 * `--wait` it waits for the end of its input itself.
 */
async function reap(file: string, firstNote: string, wait: boolean): Promise<void> {
  if (wait && (await saidGoodbye())) return
  const note = readRun(file) ?? parseRun(firstNote)
  if (!note) return
  // The pipe closes shortly before the process is gone.
  for (let looks = 0; looks < 1_000 && isAlive(note); looks++) await sleep(5)
  if (!isAlive(note)) await clearRun(file, note, timing)
}

async function saidGoodbye(): Promise<boolean> {
  for await (const _chunk of process.stdin) return true
  return false
}

const [file = '', firstNote = '', flag] = process.argv.slice(2)
await reap(file, firstNote, flag === '--wait')
