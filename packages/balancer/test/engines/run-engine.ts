import { createNginxEngine } from '../../src/engines/nginx/nginx-engine.ts'
import { planOf } from './plans.ts'

// Runs the engine named on the command line until it is killed; says its port.
const engines: Record<string, () => ReturnType<typeof createNginxEngine>> = {
  nginx: () => createNginxEngine({ workers: 1 }),
}
const engine = engines[process.argv[2] ?? '']?.()
await engine?.start(planOf([]))
process.stdout.write(`${engine?.ports().front}\n`)
setInterval(() => {}, 60_000)
