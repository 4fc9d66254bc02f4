import { systemClock } from '@drover/kernel'

/**
 * Makes a process slow: stops and continues it again and again, until the returned function is called.
 * It runs `runningMs` of every `stoppedMs + runningMs`.
 */
export function slowDown(
  pid: number,
  { stoppedMs, runningMs }: { readonly stoppedMs: number; readonly runningMs: number },
): () => void {
  let isOver = false
  let cancel = () => {}
  const send = (signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended by itself; there is nothing left to slow down.
      isOver = true
    }
  }
  const stop = () => {
    if (isOver) return
    send('SIGSTOP')
    cancel = systemClock.after(stoppedMs, goOn)
  }
  const goOn = () => {
    send('SIGCONT')
    if (!isOver) cancel = systemClock.after(runningMs, stop)
  }
  stop()
  return () => {
    cancel()
    isOver = true
    send('SIGCONT')
  }
}
