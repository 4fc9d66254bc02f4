import { resolve } from 'node:path'
import { parseDuration, parseSize } from '@drover/kernel'
import type { AutoscaleSpec, GroupSpec, RuntimeSpec } from '@drover/supervisor'
import { commandWords } from './command-words.ts'
import type { Loaded } from './load.ts'
import type { ServiceConfig } from './service-schema.ts'

/** Returns what the supervisor is to run: a group for each service without fixed addresses. */
export function toGroups({ config, folder }: Loaded): GroupSpec[] {
  return Object.entries(config.services).flatMap(([name, service]) => {
    const runtime = toRuntime(service, folder)
    return runtime ? [toGroup(name, service, runtime)] : []
  })
}

function toGroup(name: string, service: ServiceConfig, runtime: RuntimeSpec): GroupSpec {
  const { start, stop, autoscale } = service
  const env = Object.entries(service.env).map(([key, value]) => [key, String(value)])
  return {
    name,
    runtime,
    replicas: service.replicas,
    env: Object.fromEntries(env),
    namePrefix: service.namePrefix,
    startTimeoutMs: parseDuration(start.timeout),
    stopTimeoutMs: parseDuration(stop.timeout),
    stopSignal: stop.signal,
    drainTimeoutMs: parseDuration(stop.drain),
    restartOrder: service.restart,
    backoff: { firstMs: parseDuration(start.backoff), mostMs: parseDuration(start.backoffMax) },
    stableAfterMs: parseDuration(start.stableAfter),
    logBytesMax: parseSize(service.logSize),
    ...(autoscale ? { autoscale: toAutoscale(autoscale) } : {}),
  }
}

function toRuntime(service: ServiceConfig, folder: string): RuntimeSpec | undefined {
  const { command, docker, cwd = '.' } = service
  if (docker)
    return {
      kind: 'docker',
      image: docker.image,
      command: docker.command,
      containerPort: docker.port,
      ...(docker.socket === undefined ? {} : { socket: docker.socket }),
    }
  if (command === undefined) return undefined
  const words = typeof command === 'string' ? commandWords(command) : command
  return { kind: 'process', command: words, cwd: resolve(folder, cwd) }
}

function toAutoscale(autoscale: NonNullable<ServiceConfig['autoscale']>): AutoscaleSpec {
  return {
    least: autoscale.min,
    most: autoscale.max,
    inFlightTarget: autoscale.inFlight,
    growCooldownMs: parseDuration(autoscale.growCooldown),
    shrinkCooldownMs: parseDuration(autoscale.shrinkCooldown),
  }
}
