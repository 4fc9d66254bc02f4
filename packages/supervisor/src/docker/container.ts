import { constants } from 'node:os'
import { type Clock, describeError, type Log, withDeadline } from '@drover/kernel'
import { fault } from '../errors.ts'
import { readOutput } from '../flow.ts'
import { describeExit, type Ending, type Instance, type SpawnOrder } from '../runtime.ts'
import { type EngineClient, messageOf } from './engine-client.ts'
import { createFrameReader } from './frames.ts'

/** How long the last output of a dead container is waited for before it is removed, in ms. */
const lastWordsMs = 2_000

/** How often an engine that does not answer is asked to kill a container, and how far apart, in ms. */
const killTriesMax = 10
const killEveryMs = 1_000

/** What the life of a container needs. */
export interface ContainerParts {
  readonly clock: Clock
  readonly log: Log
  readonly engine: EngineClient
}

/** A container from its start to its removal. */
export class Container {
  readonly id: string
  readonly #parts: ContainerParts
  readonly #ending = Promise.withResolvers<Ending>()
  #output: Promise<void> = Promise.resolve()

  constructor(id: string, parts: ContainerParts) {
    this.id = id
    this.#parts = parts
  }

  /** Resolves when it has ended, by whatever cause. Never rejects. */
  get ended(): Promise<Ending> {
    return this.#ending.promise
  }

  /** The engine says that it has ended. */
  died(exitCode: number | undefined): void {
    const reason = exitCode === undefined ? 'ended, nobody saw how' : describeExitCode(exitCode)
    this.#ending.resolve({ reason, portTaken: false })
  }

  /** Starts it and reads its output. Throws SPAWN_FAILED with the engine's words. */
  async start(order: SpawnOrder): Promise<void> {
    const { engine, clock, log } = this.#parts
    const { status, body } = await engine.start(this.id)
    if (status >= 300) throw fault('SPAWN_FAILED', messageOf(body))
    const logs = await engine.logs(this.id)
    readOutput(logs, createFrameReader(order.output), clock)
    this.#output = new Promise((resolve) => logs.once('close', resolve))
    logs.on('error', (cause) =>
      log.warn({ replica: order.id, cause: describeError(cause) }, 'its output was cut off'),
    )
  }

  /** Returns the process id of its first process; undefined when it has ended already. */
  async pid(): Promise<number | undefined> {
    const { body } = await this.#parts.engine.inspect(this.id)
    return (body as { State?: { Pid?: number } } | undefined)?.State?.Pid || undefined
  }

  instance(host: string, port: number, pid: number | undefined): Instance {
    return {
      host,
      port,
      pid,
      container: this.id,
      ended: this.ended,
      signal: (name) => {
        // When the engine does not hear it, SIGKILL follows in its time.
        void this.#parts.engine.kill(this.id, name).catch(() => {})
      },
      kill: () => void this.#kill(),
    }
  }

  /** Removes it, when its last output was read. Never rejects: the next run removes what stays. */
  async remove(): Promise<void> {
    const { clock, engine, log } = this.#parts
    await withDeadline('its last output', lastWordsMs, clock, this.#output).catch(() => {
      // An output that does not end keeps no container.
    })
    try {
      await engine.remove(this.id)
    } catch (cause) {
      log.warn({ container: this.id, cause: describeError(cause) }, 'a container was not removed')
    }
  }

  async #kill(): Promise<void> {
    const { clock, engine } = this.#parts
    for (let tries = 0; tries < killTriesMax; tries++) {
      try {
        const { status } = await engine.kill(this.id, 'SIGKILL')
        // Gone or not running: whether its end was heard or not, it has ended.
        if (status === 404 || status === 409) this.died(undefined)
        return
      } catch {
        // The engine does not hear it now: it may have gone away for a moment.
        await clock.sleep(killEveryMs)
      }
    }
    this.#ending.resolve({
      reason: `could not be ended: ${engine.socket} does not answer`,
      portTaken: false,
    })
  }
}

/** An exit code over 128 is what shells and engines make of a signal. */
export function describeExitCode(exitCode: number): string {
  const name = Object.entries(constants.signals).find(
    ([, number]) => number === exitCode - 128,
  )?.[0]
  return name === undefined ? describeExit(exitCode, null) : describeExit(null, name)
}
