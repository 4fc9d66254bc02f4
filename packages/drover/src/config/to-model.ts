import { resolve } from 'node:path'
import { defaultHealth, defaultService, type Model, type ServiceModel } from '@drover/balancer'
import type { Address } from '@drover/kernel'
import type { Loaded } from './load.ts'
import { manageService } from './managed.ts'
import type { Config } from './schema.ts'
import { toListener } from './to-listener.ts'
import { toService } from './to-service.ts'

/** What the front door needs beside the configuration. */
export interface ModelContext {
  /** Signs sticky cookies of services that name no secret. */
  readonly stickySecret: string
  /** Where the management API listens for the front door, when it is mounted there. */
  readonly manageAddress: Address | undefined
}

/** Returns what the front door is to be. */
export function toModel({ config, folder }: Loaded, context: ModelContext): Model {
  const services = Object.entries(config.services).map(([name, service]) =>
    toService(name, service, config, context.stickySecret),
  )
  const { manageAddress } = context
  return {
    listeners: config.listeners.map((listener) => toListener(listener, config, folder)),
    services: manageAddress ? [...services, toManageService(manageAddress)] : services,
    trustedProxies: config.trustedProxies,
    ...(config.traces ? { traces: toTraces(config.traces) } : {}),
    ...(config.accessLog === undefined
      ? {}
      : { accessLogFile: config.accessLog === '-' ? '-' : resolve(folder, config.accessLog) }),
  }
}

function toTraces({ otlp, sample, name }: NonNullable<Config['traces']>) {
  return { url: otlp, sampleShare: sample, name }
}

function toManageService({ host, port }: Address): ServiceModel {
  return defaultService(manageService, {
    addresses: [{ host, port, weight: 1 }],
    health: { ...defaultHealth, check: { ...defaultHealth.check, kind: 'tcp' } },
  })
}
