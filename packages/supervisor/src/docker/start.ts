import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import { fillIn, replicaEnv, type SpawnOrder } from '../runtime.ts'
import { type EngineAnswer, type EngineClient, messageOf } from './engine-client.ts'
import { containerName, labels, type Owner } from './labels.ts'

/** Inside its own network a container may listen on every address. */
const hostInside = '0.0.0.0'

/** A name is freed some time after its container was removed; tries, 100 ms apart. */
const nameTriesMax = 50
const nameWaitMs = 100

/** A container that was made but not started yet. */
export interface MadeContainer {
  readonly id: string
}

/** What making a container needs. */
export interface MakeParts {
  readonly engine: EngineClient
  readonly owner: Owner
  readonly clock: Clock
}

/**
 * Makes the container of a replica, its port published on `port` of 127.0.0.1. A container of ours
 * that is in the way is removed; one of somebody else throws CONTAINER_FOREIGN, a living one of
 * ours NAME_TAKEN, and a missing image or a wrong setting SPAWN_FAILED.
 */
export async function makeContainer(
  order: SpawnOrder,
  port: number,
  init: boolean,
  { engine, owner, clock }: MakeParts,
): Promise<MadeContainer> {
  const name = containerName(order.name, order.spec.name)
  const container = describeContainer(order, port, init, owner)
  for (let tries = 0; tries < nameTriesMax; tries++) {
    const answer = await engine.create(name, container)
    const id = (answer.body as { Id?: unknown } | undefined)?.Id
    if (answer.status === 201 && typeof id === 'string') return { id }
    if (answer.status !== 409) throw cannotMake(order, answer)
    await clearName(name, order, engine, owner)
    await clock.sleep(nameWaitMs)
  }
  throw fault('SPAWN_FAILED', `the container name "${name}" did not become free`)
}

/** What `POST /containers/create` is sent. */
function describeContainer(order: SpawnOrder, port: number, init: boolean, owner: Owner): object {
  const { runtime, name: group } = order.spec
  if (runtime.kind !== 'docker') throw new TypeError(`${runtime.kind} is not a container`)
  const { image, containerPort, command } = runtime
  const env = replicaEnv(order, hostInside, containerPort)
  const inside = `${containerPort}/tcp`
  return {
    Image: image,
    ...(command.length > 0 ? { Cmd: fillIn(command, order, containerPort) } : {}),
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    Labels: {
      [labels.instance]: owner.instance,
      [labels.run]: owner.run,
      [labels.group]: group,
      [labels.replica]: order.name,
    },
    ExposedPorts: { [inside]: {} },
    HostConfig: {
      PortBindings: { [inside]: [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
      // As the first process of a container a program that handles no signals would never hear any.
      Init: init,
      // Restarting is the supervisor's work, and its alone.
      RestartPolicy: { Name: 'no' },
      // `docker logs` works, and a replica that prints much does not fill the disk.
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
    },
  }
}

/** Removes what has the name, if it is ours and does not run; throws who has it otherwise. */
async function clearName(
  name: string,
  order: SpawnOrder,
  engine: EngineClient,
  owner: Owner,
): Promise<void> {
  const { status, body } = await engine.inspect(name)
  if (status === 404) return
  const found = body as {
    Id?: string
    State?: { Running?: boolean }
    Config?: { Labels?: Record<string, string> | null }
  }
  const marks = found.Config?.Labels ?? {}
  if (marks[labels.instance] !== owner.instance)
    throw fault(
      'CONTAINER_FOREIGN',
      `a container that is not ours is called "${name}", as replica ${order.id} must be; ` +
        'remove or rename it',
    )
  if (marks[labels.run] === owner.run && found.State?.Running)
    throw fault(
      'NAME_TAKEN',
      `the container "${name}" is replica ${marks[labels.replica]} of group ` +
        `${marks[labels.group]}; give one of the groups another namePrefix`,
    )
  await engine.remove(found.Id ?? name)
}

function cannotMake(order: SpawnOrder, { status, body }: EngineAnswer) {
  const { runtime } = order.spec
  const image = runtime.kind === 'docker' ? runtime.image : ''
  return status === 404
    ? fault('SPAWN_FAILED', `the image "${image}" is not there; build it or pull it first`)
    : fault('SPAWN_FAILED', `a container of "${image}" cannot be made: ${messageOf(body)}`)
}
