import type { HealthModel, KeySource, ServiceModel, StickyPlan } from '@drover/balancer'
import { defaultHealth } from '@drover/balancer'
import { parseAddress, parseDuration } from '@drover/kernel'
import { classroomAnswers } from '../manage/answers.ts'
import { derived } from './derived.ts'
import { managedService } from './managed.ts'
import type { Config } from './schema.ts'
import type { ServiceConfig } from './service-schema.ts'

/** Returns the service as the front door knows it. */
export function toService(
  name: string,
  service: ServiceConfig,
  config: Config,
  stickySecret: string,
): ServiceModel {
  const { retry, queue, timeouts, rateLimit } = service
  const { failureStatus } = service.health
  const managed = config.manage !== undefined && managedService(config) === name
  const sticky = toSticky(service, stickySecret)
  return {
    name,
    policy: {
      name: service.policy,
      key: toKey(derived(name, service, config.listeners).key),
      options: service.policyOptions,
    },
    health: toHealth(name, service, config),
    addresses: (service.addresses ?? []).map((address) => ({
      ...parseAddress(address),
      name: address,
      weight: service.weights[address] ?? 1,
    })),
    expectedReplicas: service.addresses ? 0 : service.replicas,
    ...(sticky ? { sticky } : {}),
    retry: {
      attemptsMax: retry.attempts,
      budgetShare: retry.budget,
      budgetPerSecond: retry.perSecond,
    },
    queue: { sizeMax: queue.size, waitMs: parseDuration(queue.wait), order: queue.order },
    inFlightMax: service.inFlightMax,
    ...(rateLimit ? { rateLimit } : {}),
    ...(failureStatus === undefined ? {} : { failureStatus }),
    timeouts: {
      connectMs: parseDuration(timeouts.connect),
      firstByteMs: parseDuration(timeouts.firstByte),
      responseMs: parseDuration(timeouts.response),
      keepAliveMs: parseDuration(timeouts.keepAlive),
    },
    answers: [
      ...service.answers.map(({ code, onStatus, ...answer }) => ({
        ...(code === undefined ? {} : { code }),
        ...(onStatus === undefined ? {} : { status: onStatus }),
        with: answer,
      })),
      ...(managed ? classroomAnswers : []),
    ],
    sendProxyProtocol: service.sendProxyProtocol,
  }
}

/** Reads where a hashed policy takes its key from: `client`, `header:X-User`. */
export function toKey(text: string): KeySource {
  const [from = '', name = ''] = text.split(':')
  if (from === 'query' || from === 'cookie') return { from, name }
  if (from === 'header') return { from, name: name.toLowerCase() }
  return { from: from as 'request-id' | 'client' | 'path' }
}

function toSticky({ sticky }: ServiceConfig, stickySecret: string): StickyPlan | undefined {
  if (!sticky) return undefined
  if (sticky === true) return { cookie: 'drover', secret: stickySecret }
  return { cookie: sticky.cookie, secret: sticky.secret ?? stickySecret }
}

function toHealth(name: string, service: ServiceConfig, config: Config): HealthModel {
  const { health } = service
  const { check, status } = derived(name, service, config.listeners)
  return {
    check: {
      kind: check,
      path: health.path,
      statuses: status.split(',').map((range) => range.trim()),
      ...(health.host === undefined ? {} : { host: health.host }),
      intervalMs: parseDuration(health.interval),
      startIntervalMs: parseDuration(health.startInterval),
      timeoutMs: parseDuration(health.timeout),
      rise: health.rise,
      fall: health.fall,
    },
    ejection: {
      failuresMax: health.failures,
      baseMs: parseDuration(health.ejection),
      mostMs: parseDuration(health.ejectionMax),
      shareMax: health.ejectedShareMax,
    },
    slowStart: {
      windowMs: parseDuration(health.slowStart),
      leastShare: defaultHealth.slowStart.leastShare,
    },
    panicShare: health.panicShare,
  }
}
