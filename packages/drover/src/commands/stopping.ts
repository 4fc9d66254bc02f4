import { once } from 'node:events'

/** What tells a command that runs on to stop. */
export interface Stopping {
  /** Resolves at ctrl-c, SIGTERM, SIGHUP, or when whoever started this process over a channel is gone. */
  readonly asked: Promise<unknown>
  /** Returns what `start` resolves to; the process just ends when it is told to stop before that. */
  unlessAsked<Started>(start: Promise<Started>): Promise<Started>
}

/**
 * Hears from now on what tells this command to stop. While something starts there is nothing yet
 * that must be ended well: whatever was acknowledged before is on disk.
 */
export function hearStopping(): Stopping {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const asked = Promise.race([
    ...signals.map((signal) => once(process, signal).then(() => signal)),
    once(process, 'disconnect').then(() => 'SIGKILL' as const),
  ]).then((signal) => {
    // Listening for its end keeps the channel to who started this process open, and so the process.
    process.channel?.unref()
    return signal
  })
  return {
    asked,
    async unlessAsked(start) {
      let isUp = false
      void asked.then((signal) => {
        // Not process.exit: it waits for ever, now and then, for a thread that is just starting.
        if (!isUp) process.kill(process.pid, signal)
      })
      const started = await start
      isUp = true
      return started
    },
  }
}

/**
 * Ends this process when the one that started it over a channel is gone, also while the command is
 * still being loaded. A command that listens for that itself ends in its own way.
 */
export function endWithParent(): void {
  const end = () => {
    if (process.listenerCount('disconnect') <= 1) process.exit(1)
  }
  process.on('disconnect', end)
  // It may have gone before this line.
  if (process.connected === false) end()
}
