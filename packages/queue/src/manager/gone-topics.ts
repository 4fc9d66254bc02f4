import { describeError, Fault } from '@drover/kernel'
import type { Manager } from './manager.ts'

/** Has brokers throw away what is left of deleted topics; one that is down is asked again later. */
export async function dropGone(manager: Manager): Promise<void> {
  for (const [broker, ids] of [...manager.state.drops])
    try {
      const { link } = manager.broker(broker)
      for (const id of ids) await link.call('drop', { id })
      await manager.event({ type: 'dropped', broker, ids })
    } catch (error) {
      const away = error instanceof Fault && error.code === 'BROKER_UNREACHABLE'
      if (!away) manager.using.log.warn({ broker, cause: describeError(error) }, 'not dropped yet')
    }
}
