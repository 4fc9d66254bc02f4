import { createHaproxyEngine } from '../../src/engines/haproxy/haproxy-engine.ts'
import { createNginxEngine } from '../../src/engines/nginx/nginx-engine.ts'
import type { Engine } from '../../src/plan.ts'
import { planOf } from './plans.ts'

// Runs the engine named on the command line until it is killed; says its port.
const engines: Record<string, () => Engine> = {
  nginx: () => createNginxEngine({ workers: 1 }),
  haproxy: () => createHaproxyEngine({ threads: 1 }),
}
const engine = engines[process.argv[2] ?? '']?.()
await engine?.start(planOf([]))
process.stdout.write(`${engine?.ports().front}\n`)
setInterval(() => {}, 60_000)
