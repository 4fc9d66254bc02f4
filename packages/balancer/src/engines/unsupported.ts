import type { Fault } from '@drover/kernel'
import { type BalancerFaultCode, fault } from '../errors.ts'
import { type Plan, type PolicyName, policyNames, type ServicePlan } from '../plan.ts'

type ForeignEngine = 'nginx' | 'haproxy'

/** The policies that each foreign engine has itself; the builtin one has all. */
const foreignPolicies: Readonly<Record<ForeignEngine, readonly PolicyName[]>> = {
  nginx: ['round-robin', 'weighted', 'random', 'least-connections', 'two-choices', 'ring'],
  haproxy: ['round-robin', 'weighted', 'random', 'least-connections', 'two-choices', 'ring'],
}

/** Returns the fault of a feature that `engine` lacks. */
export function unsupported(
  where: string,
  what: string,
  engine: ForeignEngine,
  having: readonly string[],
): Fault<BalancerFaultCode> {
  return fault(
    'POLICY_UNSUPPORTED',
    `${where} asks for ${what}, which the engine ${engine} lacks; ${list(having)} it`,
  )
}

/** Throws POLICY_UNSUPPORTED when `engine` lacks the policy of `service`. */
export function checkPolicy(service: ServicePlan, engine: ForeignEngine): void {
  const { name } = service.policy
  if (foreignPolicies[engine].includes(name)) return
  const others = (Object.keys(foreignPolicies) as ForeignEngine[]).filter((one) =>
    foreignPolicies[one].includes(name),
  )
  throw unsupported(`service ${service.name}`, `the policy ${name}`, engine, ['builtin', ...others])
}

/**
 * Throws POLICY_UNSUPPORTED when `plan` names a header, cookie or query parameter with a character
 * that foreign configurations give a meaning of their own.
 */
export function checkPlainNames({ listeners, services }: Plan, engine: ForeignEngine): void {
  const names = [
    ...listeners.flatMap(({ routes }) =>
      routes.flatMap(({ match }) => Object.keys(match.headers ?? {})),
    ),
    ...services.flatMap(({ policy, sticky }) => [
      ...('name' in policy.key ? [policy.key.name] : []),
      ...(sticky ? [sticky.cookie] : []),
    ]),
  ]
  for (const name of names)
    if (!/^[A-Za-z0-9_-]+$/.test(name))
      throw unsupported('the plan', `the name ${JSON.stringify(name)}`, engine, ['builtin'])
}

/** Returns which policies `engine` has. */
export function policiesOf(engine: ForeignEngine | 'builtin'): readonly PolicyName[] {
  return engine === 'builtin' ? policyNames : foreignPolicies[engine]
}

function list(engines: readonly string[]): string {
  return `${engines.join(' and ')} ${engines.length === 1 ? 'has' : 'have'}`
}
