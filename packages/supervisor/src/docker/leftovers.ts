import { systemClock } from '@drover/kernel'
import { fault } from '../errors.ts'
import { createEngineClient, type EngineClient, messageOf } from './engine-client.ts'
import { labels } from './labels.ts'

/** How long a container that was left may end by itself, in seconds. */
const graceSeconds = 2

/** Stops and removes the containers of one run on the engine behind `socket`; see `removeContainers`. */
export function removeContainersOfRun(
  socket: string,
  instance: string,
  run: string,
): Promise<number> {
  const engine = createEngineClient(socket, systemClock)
  return removeContainers(engine, instance, (other) => other === run)
}

/**
 * Stops and removes the containers that `which` chooses among those of the data folder `instance`.
 * Resolves to how many there were; throws ENGINE_FAILED when the engine cannot tell.
 */
export async function removeContainers(
  engine: EngineClient,
  instance: string,
  which: (run: string) => boolean,
): Promise<number> {
  const { status, body } = await engine.list(`${labels.instance}=${instance}`)
  if (status !== 200 || !Array.isArray(body))
    throw fault('ENGINE_FAILED', `${engine.socket}: ${messageOf(body)}`)
  const ids = body.flatMap((one) => {
    const run = one?.Labels?.[labels.run]
    return typeof run === 'string' && typeof one?.Id === 'string' && which(run) ? [one.Id] : []
  })
  await Promise.all(
    ids.map(async (id: string) => {
      // 304 when it had ended, 404 when somebody else was faster: both are what is wanted.
      await engine.stop(id, graceSeconds)
      await engine.remove(id)
    }),
  )
  return ids.length
}
