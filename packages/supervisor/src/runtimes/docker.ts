import { type Clock, Fault, type Log, type Random } from '@drover/kernel'
import { Container } from '../docker/container.ts'
import { createDeaths, type Deaths } from '../docker/deaths.ts'
import { createEngineClient, type EngineClient } from '../docker/engine-client.ts'
import { labels, type Owner } from '../docker/labels.ts'
import { removeContainers } from '../docker/leftovers.ts'
import { makeContainer } from '../docker/start.ts'
import { fault } from '../errors.ts'
import type { Ports } from '../ports.ts'
import type { Instance, Runtime, SpawnOrder } from '../runtime.ts'
import type { GroupSpec } from '../spec.ts'

const host = '127.0.0.1'
const defaultSocket = '/var/run/docker.sock'

/** How often another port is tried when somebody took the chosen one. */
const portTriesMax = 5

/** What the Docker runtime needs. */
export interface DockerParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly ports: Ports
  readonly owner: () => Owner
  /** Called before the first container on an engine, so that it is noted who runs something. */
  readonly onEngine: (socket: string) => void
}

/** One engine that containers run on. */
interface Engine {
  readonly client: EngineClient
  readonly deaths: Deaths
  /** Containers whose end was not heard yet. */
  readonly watched: Map<string, Container>
  /** Containers get an init process that passes signals on; false once the engine had none. */
  init: boolean
  /** Resolves when what earlier runs left there is gone, and ends are heard. */
  readonly ready: () => Promise<void>
}

/** Returns the runtime that starts replicas as containers, through the engine's own socket. */
export function createDockerRuntime(parts: DockerParts): Runtime {
  const engines = new Map<string, Engine>()
  const removals = new Set<Promise<void>>()

  const engineOf = (spec: GroupSpec): Engine => {
    const socket = socketOf(spec)
    const engine = engines.get(socket) ?? openEngine(socket, parts)
    engines.set(socket, engine)
    return engine
  }
  const removeAfterEnd = (container: Container, engine: Engine, port: number) => {
    const removal = container.ended.then(async () => {
      engine.watched.delete(container.id)
      await container.remove()
      parts.ports.release(port)
    })
    removals.add(removal)
    void removal.finally(() => removals.delete(removal))
  }

  const spawnOnce = async (order: SpawnOrder, engine: Engine): Promise<Instance> => {
    const { clock, log, ports, owner } = parts
    const { client, watched } = engine
    const port = await ports.take()
    let container: Container | undefined
    try {
      const { id } = await makeContainer(order, port, engine.init, {
        engine: client,
        owner: owner(),
        clock,
      })
      container = new Container(id, { clock, log, engine: client })
      watched.set(id, container)
      await container.start(order)
      const instance = container.instance(host, port, await container.pid())
      removeAfterEnd(container, engine, port)
      return instance
    } catch (error) {
      ports.release(port)
      if (container) {
        watched.delete(container.id)
        await container.remove()
      }
      throw error
    }
  }
  return {
    async spawn(order) {
      const engine = engineOf(order.spec)
      await engine.ready()
      for (let tries = 1; ; tries++)
        try {
          return await spawnOnce(order, engine)
        } catch (error) {
          if (isInitMissing(error) && engine.init) engine.init = false
          else if (!isPortTaken(error) || tries >= portTriesMax) throw error
        }
    },
    async settle() {
      await Promise.all(removals)
    },
    close() {
      for (const { deaths } of engines.values()) deaths.stop()
    },
  }
}

function openEngine(socket: string, parts: DockerParts): Engine {
  const { clock, log, owner, onEngine } = parts
  const client = createEngineClient(socket, clock)
  const watched = new Map<string, Container>()
  const { instance, run } = owner()
  const deaths = createDeaths(
    client,
    {
      label: `${labels.run}=${run}`,
      watched: () => [...watched.keys()],
      onDeath: (id, exitCode) => watched.get(id)?.died(exitCode),
    },
    parts,
  )
  let opening: Promise<void> | undefined
  const open = async () => {
    onEngine(socket)
    const removed = await removeContainers(client, instance, (other) => other !== run)
    if (removed > 0)
      log.warn({ removed }, 'an earlier supervisor had left containers; they were removed')
    await deaths.start()
  }
  const ready = () => {
    opening ??= open().catch((error: unknown) => {
      // The engine may be up at the next try.
      opening = undefined
      throw error
    })
    return opening
  }
  return { client, deaths, watched, init: true, ready }
}

/** The engine's socket: the spec's, else the one that DOCKER_HOST names, as for `docker` itself. */
function socketOf({ name, runtime }: GroupSpec): string {
  if (runtime.kind !== 'docker') throw new TypeError(`${runtime.kind} is not a container`)
  if (runtime.socket !== undefined) return runtime.socket
  const named = process.env.DOCKER_HOST
  if (named === undefined || named === '') return defaultSocket
  if (named.startsWith('unix://')) return named.slice('unix://'.length)
  throw fault(
    'SPEC_INVALID',
    `group "${name}": DOCKER_HOST is ${named}, but only sockets (unix://...) can be used`,
  )
}

function isPortTaken(error: unknown): boolean {
  return refusedFor(error, /port is already allocated|address already in use/i)
}

function isInitMissing(error: unknown): boolean {
  return refusedFor(error, /docker-init|catatonit/i)
}

/** Engines say in words only why a container did not start. */
function refusedFor(error: unknown, words: RegExp): boolean {
  return error instanceof Fault && error.code === 'SPAWN_FAILED' && words.test(error.message)
}
