import { any, check, checkNumbers, isHost, isToken, refuse, whole } from './checks.ts'
import { balancerFaults } from './errors.ts'
import type { AddressModel, HealthModel, ServiceModel } from './model.ts'
import type { AnswerPlan, KeySource } from './plan.ts'
import { checkPolicyOptions } from './policies/table.ts'
import { parseStatuses } from './probe.ts'

/** Throws PLAN_REFUSED for the first thing in `service` that cannot be used. */
export function checkService(service: ServiceModel): void {
  const where = `service ${service.name}`
  checkPolicyOptions(service.policy)
  checkKey(where, service.policy.key)
  checkNumbers(where, [
    ['retry.attemptsMax', service.retry.attemptsMax, whole(1, 100)],
    ['retry.budgetShare', service.retry.budgetShare, any(0, 1)],
    ['retry.budgetPerSecond', service.retry.budgetPerSecond, any(0)],
    ['queue.sizeMax', service.queue.sizeMax, whole(0, 1_000_000)],
    ['queue.waitMs', service.queue.waitMs, whole(0)],
    ['inFlightMax', service.inFlightMax, whole(0)],
    ['expectedReplicas', service.expectedReplicas ?? 0, whole(0)],
    ['timeouts.connectMs', service.timeouts.connectMs, whole(1)],
    ['timeouts.firstByteMs', service.timeouts.firstByteMs, whole(1)],
    ['timeouts.responseMs', service.timeouts.responseMs, whole(0)],
    ['timeouts.keepAliveMs', service.timeouts.keepAliveMs, whole(0)],
  ])
  const { failureStatus } = service
  if (failureStatus !== undefined)
    checkNumbers(where, [['failureStatus', failureStatus, whole(400, 599)]])
  if (service.rateLimit)
    checkNumbers(where, [
      ['rateLimit.perSecond', service.rateLimit.perSecond, any(0.001)],
      ['rateLimit.burst', service.rateLimit.burst, whole(1)],
    ])
  if (service.sticky) {
    check(isToken(service.sticky.cookie), `${where} cookie`, 'a name', service.sticky.cookie)
    if (service.sticky.secret.length < 16)
      throw refuse(`${where} sticky.secret must have at least 16 characters`)
  }
  for (const answer of service.answers) checkAnswer(where, answer)
  checkHealth(where, service.health)
  checkAddresses(where, service.addresses)
}

function checkKey(where: string, key: KeySource): void {
  if ('name' in key) check(isToken(key.name), `${where} key`, `the name of a ${key.from}`, key.name)
}

function checkAnswer(where: string, answer: AnswerPlan): void {
  const { code, status } = answer
  if ((code === undefined) === (status === undefined))
    throw refuse(`${where} answers: one of code and status must be given`)
  if (code !== undefined && code !== '*' && !Object.hasOwn(balancerFaults, code))
    throw refuse(`${where} answers: unknown code ${code}`)
  if (status !== undefined) checkNumbers(`${where} answers`, [['status', status, whole(200, 599)]])
  checkNumbers(`${where} answers`, [['with.status', answer.with.status, whole(200, 599)]])
  const type = answer.with.contentType
  check(/^[!-~]+(?:[ !-~]*)$/.test(type), `${where} answers contentType`, 'a media type', type)
}

function checkHealth(where: string, health: HealthModel): void {
  const { check: active, ejection, slowStart } = health
  checkNumbers(`${where} health`, [
    ['check.intervalMs', active.intervalMs, whole(10)],
    ['check.startIntervalMs', active.startIntervalMs, whole(1)],
    ['check.timeoutMs', active.timeoutMs, whole(1)],
    ['check.rise', active.rise, whole(1, 1_000)],
    ['check.fall', active.fall, whole(1, 1_000)],
    ['ejection.failuresMax', ejection.failuresMax, whole(0)],
    ['ejection.baseMs', ejection.baseMs, whole(1)],
    ['ejection.mostMs', ejection.mostMs, whole(1)],
    ['ejection.shareMax', ejection.shareMax, any(0, 1)],
    ['slowStart.windowMs', slowStart.windowMs, whole(0)],
    ['slowStart.leastShare', slowStart.leastShare, any(0.001, 1)],
    ['panicShare', health.panicShare, any(0, 1)],
  ])
  if (active.kind === 'tcp') return
  check(
    /^\/[!-~]*$/.test(active.path),
    `${where} check path`,
    'a path that begins with /',
    active.path,
  )
  if (active.host !== undefined)
    check(isHost(active.host), `${where} check host`, 'a host name', active.host)
  if (active.statuses.length === 0) throw refuse(`${where} check has no statuses that pass`)
  for (const text of active.statuses)
    check(parseStatuses(text) !== undefined, `${where} check statuses`, '200 or 200-399', text)
}

function checkAddresses(where: string, addresses: readonly AddressModel[]): void {
  const seen = new Set<string>()
  for (const address of addresses) {
    const name = nameOf(address)
    check(isHost(address.host), `${where} address`, 'an address or a host name', address.host)
    checkNumbers(`${where} address ${name}`, [
      ['port', address.port, whole(1, 65_535)],
      ['weight', address.weight, any(0.001, 1_000_000)],
    ])
    check(isPlainName(name), `${where} address name`, 'a line of plain characters', name)
    if (seen.has(name)) throw refuse(`${where} has the address ${name} twice`)
    seen.add(name)
  }
}

/** Returns what an address is called. */
export function nameOf(address: AddressModel): string {
  return address.name ?? `${address.host}:${address.port}`
}

/** Holds for names that people, logs and foreign configurations can carry. */
export function isPlainName(name: string): boolean {
  return /^[!-~](?:[ -~]{0,126}[!-~])?$/.test(name) && !/["'\\{}$;#]/.test(name)
}
