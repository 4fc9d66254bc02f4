import { silentLog, systemClock } from '@drover/kernel'
import { Certificates } from './certificates.ts'
import { checkModel } from './check-model.ts'
import { checkHaproxyPlan } from './engines/haproxy/support.ts'
import { checkNginxPlan } from './engines/nginx/support.ts'
import type { Model } from './model.ts'
import type { Engine, Plan } from './plan.ts'
import { firstServicePlan } from './pool.ts'

/** What an nginx of today can do; the one that is installed is asked when it starts. */
const usualNginx = { version: [1, 22], stream: 'built-in', filesMax: 65_536 } as const

/**
 * Looks for what `engine` would refuse in `model`, certificates included, without starting anything.
 * Throws PLAN_REFUSED or POLICY_UNSUPPORTED for the first that it finds.
 */
export async function tryModel(model: Model, engine: Engine['name']): Promise<void> {
  checkModel(model)
  const ignored = () => {}
  const certificates = new Certificates({
    clock: systemClock,
    log: silentLog,
    onChange: ignored,
    onTrouble: ignored,
  })
  const tls = await certificates.load(model.listeners)
  const plan: Plan = {
    ...model,
    listeners: model.listeners.map(({ tls: _files, ...listener }) => {
      const found = tls.get(listener.name)
      return found ? { ...listener, tls: found } : listener
    }),
    services: model.services.map(firstServicePlan),
  }
  if (engine === 'haproxy') checkHaproxyPlan(plan)
  if (engine === 'nginx') checkNginxPlan(plan, usualNginx)
}
