import type { ListenerPlan, Plan, ServicePlan } from '../../plan.ts'
import { checkPlainNames, checkPolicy, unsupported } from '../unsupported.ts'

/** What the nginx that was found can do. */
export interface NginxAbilities {
  readonly version: readonly number[]
  /** TCP: built in, or as the file of a module to load. */
  readonly stream: 'built-in' | 'none' | { readonly moduleFile: string }
  /** Files and connections that a process may have open. */
  readonly filesMax: number
}

/**
 * Throws POLICY_UNSUPPORTED for the first thing of `plan` that nginx lacks. Let pass, because every
 * plan has them and nothing wrong comes of it: the retry budget, the wait queue (nginx answers at
 * once instead), the bound on header lines (before 1.29.8) and on connections of one listener.
 */
export function checkNginxPlan(plan: Plan, abilities: NginxAbilities): void {
  checkPlainNames(plan, 'nginx')
  if (plan.traces) throw unsupported('traces', 'spans of requests', 'nginx', ['builtin'])
  if (plan.accessLogFile?.includes('$'))
    throw unsupported('accessLogFile', 'a dollar sign in a name', 'nginx', ['builtin', 'haproxy'])
  const tcpServices = new Set(
    plan.listeners.filter(({ protocol }) => protocol === 'tcp').map(({ service }) => service),
  )
  for (const listener of plan.listeners) checkListener(listener, abilities)
  for (const service of plan.services) {
    checkPolicy(service, 'nginx')
    checkService(service)
    checkAnswers(service)
    if (tcpServices.has(service.name)) checkTcp(service)
  }
}

function checkListener(listener: ListenerPlan, { stream }: NginxAbilities): void {
  const where = `listener ${listener.name}`
  if (listener.protocol === 'tcp' && stream === 'none')
    throw unsupported(
      where,
      'TCP, for which nginx needs its stream module (Debian: libnginx-mod-stream)',
      'nginx',
      ['builtin', 'haproxy'],
    )
  // Its stream module tells no server from another by name before 1.25.5.
  if (listener.protocol === 'tcp' && (listener.tls?.certificates.length ?? 0) > 1)
    throw unsupported(where, 'several certificates on TCP', 'nginx', ['builtin', 'haproxy'])
  for (const { name, action } of listener.routes)
    if (action.kind === 'answer' && action.body.length > bodyCharsMax)
      throw unsupported(
        `${where} route ${name}`,
        `an answer of over ${bodyCharsMax} characters`,
        'nginx',
        ['builtin'],
      )
}

/** A word of nginx's configuration has at most 4,096 bytes, escapes included. */
const bodyCharsMax = 1_500

function checkService(service: ServicePlan): void {
  const where = `service ${service.name}`
  const lacks = (what: string, having: readonly string[]) =>
    unsupported(where, what, 'nginx', having)
  if (service.policy.name === 'ring' && service.policy.options.epsilon !== 0)
    throw lacks('bounded loads (epsilon 0 does without)', ['builtin', 'haproxy'])
  if (service.sticky) throw lacks('sticky sessions', ['builtin', 'haproxy'])
  const { key } = service.policy
  if ((key.from === 'query' || key.from === 'cookie') && key.name.includes('-'))
    throw lacks(`a key from a ${key.from} whose name has a dash`, ['builtin', 'haproxy'])
  if (service.queue.order === 'newest-first') throw lacks('a newest-first queue', ['builtin'])
  if (service.failureStatus !== undefined) throw lacks('answers that count as failed', ['builtin'])
  if (service.timeouts.responseMs > 0) throw lacks('a bound on whole responses', ['builtin'])
  if (service.sendProxyProtocol) throw lacks('PROXY protocol v2 out', ['builtin', 'haproxy'])
  if (service.rateLimit && !isWholeRate(service.rateLimit.perSecond))
    throw lacks('a rate limit that is not whole per second or minute', ['builtin'])
}

function checkAnswers({ name, answers }: ServicePlan): void {
  const lacks = (what: string) =>
    unsupported(`service ${name}`, what, 'nginx', ['builtin', 'haproxy'])
  for (const { with: plan } of answers) {
    if (plan.body.includes('{path}')) throw lacks('an answer that holds {path}')
    if (plan.body.length > bodyCharsMax) throw lacks(`an answer of over ${bodyCharsMax} characters`)
  }
  const isBoth =
    answers.some(({ code }) => code !== undefined) &&
    answers.some(({ status }) => status !== undefined)
  if (isBoth) throw lacks('answers by code and by status at once')
}

function checkTcp({ name, policy }: ServicePlan): void {
  if (policy.name === 'ring' && policy.key.from !== 'client')
    throw unsupported(`service ${name}`, `the key ${policy.key.from} on TCP`, 'nginx', [])
}

/** nginx counts whole requests by the second or by the minute. */
function isWholeRate(perSecond: number): boolean {
  return Number.isInteger(perSecond) || Number.isInteger(perSecond * 60)
}
