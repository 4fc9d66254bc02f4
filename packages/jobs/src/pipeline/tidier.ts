import type { Service } from '@drover/kernel'
import type { RetentionOptions } from '../store/retention-options.ts'
import type { Stores } from '../stores.ts'
import { createLoop, type LoopOptions } from './loop.ts'

export interface TidierOptions extends Omit<LoopOptions, 'name'> {
  readonly stores: Stores
  readonly retention: RetentionOptions
}

/** How often what has expired is forgotten, in ms. */
const everyMs = 600_000

/** How long an idempotency key is remembered, in ms. */
const idempotencyMs = 604_800_000

/** Returns what keeps the store from growing for ever. Several may run. */
export function createTidier(options: TidierOptions): Service {
  const { clock, log, stores, retention } = options
  return createLoop({ ...options, name: 'tidier' }, async (signal) => {
    await clock.sleep(everyMs, signal)
    await stores.accounts.tidy()
    await stores.submissions.tidy(idempotencyMs)
    await stores.turns.tidy()
    const swept = await stores.retention.sweep(retention)
    if (Object.values(swept).some((count) => count > 0))
      log.info({ ...swept }, 'what was kept long enough was removed')
  })
}
