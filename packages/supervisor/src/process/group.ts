import type { ChildProcess } from 'node:child_process'
import type { Clock } from '@drover/kernel'
import { listProcesses } from '../processes.ts'
import { describeExit } from '../runtime.ts'

/** How often the rest of a process group is looked at while it ends, in ms. */
const lookEveryMs = 25
const closerLookEvery = 8

/** After SIGKILL only a process stuck in the kernel stays; it is given up after this, in ms. */
const killTimeoutMs = 5_000

/**
 * A replica's process group. It has ended when its leader has; the rest is then killed at once, but
 * after a stop signal it may finish first: `sh -c "server & wait"` dies before its server does.
 */
export class ProcessGroup {
  readonly pid: number
  /** How it ended. Never rejects. */
  readonly ended: Promise<string>
  /** It was told to end, so its end is no surprise. */
  #signalled = false
  readonly #clock: Clock
  readonly #startedAtMs: number
  #endedAtMs = Number.POSITIVE_INFINITY
  #killedAtMs: number | undefined

  constructor(child: ChildProcess, clock: Clock) {
    this.pid = child.pid ?? 0
    this.#clock = clock
    this.#startedAtMs = clock.monotonic()
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#endedAtMs = clock.monotonic()
        void this.#rest().then(() => resolve(describeExit(code, signal)))
      })
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#signalled = true
    this.#send(name)
  }

  kill(): void {
    this.#signalled = true
    this.#sendKill()
  }

  #sendKill(): void {
    this.#killedAtMs = this.#clock.monotonic()
    this.#send('SIGKILL')
  }

  /** Returns whether it died by itself, and within `spanMs` of its start. */
  diedWithin(spanMs: number): boolean {
    return !this.#signalled && this.#endedAtMs - this.#startedAtMs < spanMs
  }

  /** Waits for the rest of the group; without a stop signal it is killed, which takes no time. */
  async #rest(): Promise<void> {
    if (!this.#signalled) this.#sendKill()
    for (let looks = 1; this.#send(0) && !this.#givenUp(); looks++) {
      // Zombies take signals too, where nobody waits for them; looking for those costs more.
      if (looks % closerLookEvery === 0 && !(await hasLiving(this.pid))) return
      await this.#clock.sleep(lookEveryMs)
    }
  }

  #givenUp(): boolean {
    return (
      this.#killedAtMs !== undefined && this.#clock.monotonic() - this.#killedAtMs > killTimeoutMs
    )
  }

  /** Returns false when no process of the group is left. */
  #send(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.pid, signal)
    } catch {
      // None is left, or all that is left runs as somebody else: nothing more can be done here.
      return false
    }
  }
}

/** Resolves to whether a process of the group is more than a zombie. */
async function hasLiving(group: number): Promise<boolean> {
  return (await listProcesses()).some((entry) => entry.group === group && !entry.zombie)
}
