import { balancerFaults, checkPolicyOptions } from '@drover/balancer'
import { type Found, nearest, parseDuration } from '@drover/kernel'
import { commandWords } from './command-words.ts'
import type { ServiceConfig } from './service-schema.ts'

/** Lists what is wrong with one service beyond its schema. */
export function checkService(name: string, service: ServiceConfig): Found[] {
  const at = (...path: string[]) => ['services', name, ...path]
  const found = [
    ...checkRuns(service),
    ...checkAutoscale(service),
    ...checkPolicy(service),
    ...checkAnswers(service),
    ...checkWaits(service),
  ]
  return found.map(({ path, message }) => ({ path: at(...path), message }))
}

function checkRuns({ command, docker, addresses, autoscale }: ServiceConfig): Found[] {
  const given = Object.entries({ command, docker, addresses })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key)
  if (given.length === 0)
    return [{ path: ['command'], message: 'is missing; expected command, docker or addresses' }]
  if (given.length > 1) {
    const message = `excludes ${given[0]}; a service has one of command, docker and addresses`
    return [{ path: [given[1] ?? ''], message }]
  }
  if (addresses && autoscale)
    return [{ path: ['autoscale'], message: 'cannot start replicas at fixed addresses' }]
  return typeof command === 'string' ? checkCommand(command) : []
}

function checkCommand(command: string): Found[] {
  try {
    commandWords(command)
    return []
  } catch (error) {
    return [{ path: ['command'], message: (error as RangeError).message }]
  }
}

function checkAutoscale({ autoscale }: ServiceConfig): Found[] {
  if (!autoscale || autoscale.min <= autoscale.max) return []
  const message = `expected at least min, which is ${autoscale.min}, not ${autoscale.max}`
  return [{ path: ['autoscale', 'max'], message }]
}

function checkPolicy({ policy, policyOptions }: ServiceConfig): Found[] {
  try {
    checkPolicyOptions({ name: policy, key: { from: 'client' }, options: policyOptions })
    return []
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return [{ path: ['policyOptions'], message: error.message }]
  }
}

function checkAnswers({ answers }: ServiceConfig): Found[] {
  const codes = Object.keys(balancerFaults)
  return answers.flatMap(({ code, onStatus }, index): Found[] => {
    const path = ['answers', String(index)]
    if ((code === undefined) === (onStatus === undefined))
      return [{ path, message: 'expected one of code and onStatus' }]
    if (code === undefined || code === '*' || codes.includes(code)) return []
    const near = nearest(code, codes)
    const hint = near === undefined ? `codes are ${codes.join(', ')}` : `did you mean "${near}"?`
    return [{ path: [...path, 'code'], message: `no fault of the door is "${code}"; ${hint}` }]
  })
}

function checkWaits({ start, health }: ServiceConfig): Found[] {
  return [
    ...atLeast(['start', 'backoffMax'], start.backoffMax, 'backoff', start.backoff),
    ...atLeast(['health', 'ejectionMax'], health.ejectionMax, 'ejection', health.ejection),
  ]
}

function atLeast(path: string[], most: string, name: string, least: string): Found[] {
  if (parseDuration(most) >= parseDuration(least)) return []
  return [{ path, message: `expected at least ${name}, which is ${least}, not ${most}` }]
}
