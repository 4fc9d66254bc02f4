import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fault } from '../errors.ts'

/** Something that runs until it is stopped. */
export interface Stoppable {
  /** May be called again. */
  stop(): Promise<void>
}

/** All that an experiment has started: it ends with the experiment, however that ends. */
export interface Stage {
  /** Starts something, and stops it when the stage ends, unless that was done before. */
  open<Thing extends Stoppable>(start: () => Promise<Thing>): Promise<Thing>
  /** Returns a new empty folder, which is removed when the stage ends. */
  folder(): Promise<string>
  /** Stops everything, the last first; from then on nothing can be started. */
  end(): Promise<void>
}

/** Returns an empty stage. */
export function createStage(): Stage {
  const open: Stoppable[] = []
  const starting = new Set<Promise<unknown>>()
  let isOver = false
  const over = () => fault('EXPERIMENT_FAILED', 'the experiment was ended before it was done')
  const add = async <Thing extends Stoppable>(start: () => Promise<Thing>): Promise<Thing> => {
    const thing = await start()
    open.push(thing)
    return thing
  }
  const stage: Stage = {
    async open(start) {
      if (isOver) throw over()
      const adding = add(start)
      starting.add(adding)
      const thing = await adding.finally(() => starting.delete(adding))
      if (isOver) throw over()
      return thing
    },
    async folder() {
      const path = await mkdtemp(join(tmpdir(), 'drover-experiment-'))
      await stage.open(async () => ({ stop: () => rm(path, { recursive: true, force: true }) }))
      return path
    },
    async end() {
      isOver = true
      await Promise.allSettled(starting)
      const errors: unknown[] = []
      for (const thing of open.splice(0).toReversed())
        await thing.stop().catch((error: unknown) => errors.push(error))
      if (errors.length > 0) throw new AggregateError(errors, 'not everything could be stopped')
    },
  }
  return stage
}
