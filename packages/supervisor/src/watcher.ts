import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Clock, Log } from '@drover/kernel'
import type { RunFile } from './run-file.ts'

const shell = '/bin/sh'
const reaper = fileURLToPath(new URL('./reap.js', import.meta.url))

/** What the shell does: wait for a line or for the end of the pipe; at its end, become the reaper. */
const script = 'read -r line && exit 0; exec "$0" "$@"'

const restartAfterMs = 1_000
const goodbyeMs = 1_000

/** A process that outlives the supervisor by a moment and ends what it left. */
export interface Watcher {
  /** Sends the watcher home: there is nothing to end. */
  stop(): Promise<void>
}

/**
 * Starts the watcher of the run noted in `runFile`; should the file be gone by then, it goes by the
 * first note. It holds the other end of a pipe that only this process has open; however this
 * process dies, the kernel closes the pipe, and the watcher ends every replica. Until then it is a
 * shell that waits, with 100 KiB of its own (node itself, where there is no shell). It has a
 * session of its own, so a ctrl-C or a kill of our process group misses it.
 */
export function startWatcher(runFile: RunFile, clock: Clock, log: Log): Watcher {
  let stopped = false
  let cancel = () => {}
  let child = start()

  function start(): ChildProcess {
    const begun = spawnWatcher(runFile)
    begun.once('error', (cause) => log.error({ cause }, 'the watcher could not be started'))
    begun.once('exit', () => {
      if (stopped) return
      log.warn('the watcher was ended by somebody and is started again')
      cancel = clock.after(restartAfterMs, () => {
        child = start()
      })
    })
    return begun
  }
  return {
    async stop() {
      if (stopped) return
      stopped = true
      cancel()
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.ref()
      child.stdin?.end('bye\n')
      const late = clock.after(goodbyeMs, () => child.kill('SIGKILL'))
      await gone
      late()
    },
  }
}

function spawnWatcher({ path, firstNote }: RunFile): ChildProcess {
  const words = [reaper, path, JSON.stringify(firstNote)]
  const [program, args] = existsSync(shell)
    ? [shell, ['-c', script, process.execPath, ...words]]
    : [process.execPath, [...words, '--wait']]
  const child = spawn(program, args, {
    cwd: '/',
    // No mark of ours or of an outer supervisor: nobody may take the watcher for a replica.
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  // Its end is seen as `exit`; a broken pipe says nothing more.
  child.stdin?.on('error', () => {})
  child.unref()
  ;(child.stdin as (typeof child.stdin & { unref?: () => void }) | null)?.unref?.()
  return child
}
