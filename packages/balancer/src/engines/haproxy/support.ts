import type { ListenerPlan, Plan, ServicePlan } from '../../plan.ts'
import { checkPlainNames, checkPolicy, unsupported } from '../unsupported.ts'

/** HAProxy holds an answer of its own in one buffer. */
const bodyCharsMax = 12_000

/**
 * Throws POLICY_UNSUPPORTED for the first thing of `plan` that HAProxy lacks. Let pass, because
 * every plan has them and nothing wrong comes of it: the retry budget, and waiting for the first
 * replica (HAProxy answers 503 at once; it does queue for busy ones).
 */
export function checkHaproxyPlan(plan: Plan): void {
  checkPlainNames(plan, 'haproxy')
  if (plan.traces) throw unsupported('traces', 'spans of requests', 'haproxy', ['builtin'])
  for (const listener of plan.listeners) checkListener(listener)
  for (const service of plan.services) {
    checkPolicy(service, 'haproxy')
    checkService(service)
    checkAnswers(service)
  }
}

function checkListener({ name, limits, routes }: ListenerPlan): void {
  const lacks = (what: string) =>
    unsupported(`listener ${name}`, what, 'haproxy', ['builtin', 'nginx'])
  if (limits.bodyBytesMax > 0) throw lacks('a bound on request bodies')
  for (const { action } of routes)
    if (action.kind === 'answer' && action.body.length > bodyCharsMax)
      throw lacks(`an answer of over ${bodyCharsMax} characters`)
}

function checkService({ name, queue, timeouts, failureStatus }: ServicePlan): void {
  const lacks = (what: string) => unsupported(`service ${name}`, what, 'haproxy', ['builtin'])
  if (queue.order === 'newest-first') throw lacks('a newest-first queue')
  if (failureStatus !== undefined) throw lacks('answers that count as failed')
  if (timeouts.responseMs > 0) throw lacks('a bound on whole responses')
}

function checkAnswers({ name, answers }: ServicePlan): void {
  const lacks = (what: string) => unsupported(`service ${name}`, what, 'haproxy', ['builtin'])
  for (const { code, with: plan } of answers) {
    const hasPath = plan.body.includes('{path}')
    if (code !== undefined && hasPath) throw lacks('an answer by code that holds {path}')
    if (hasPath && plan.contentType.includes('html'))
      throw lacks('an HTML answer that holds {path}')
    if (plan.body.length > bodyCharsMax) throw lacks(`an answer of over ${bodyCharsMax} characters`)
  }
}
