// Our door as `drover balance` composes it, with health checks, retries, limits and metrics on.
// Usage: drover-door.js <listenPort> <upstreamPort>...
import {
  createBalancer,
  createBuiltinEngine,
  defaultListener,
  defaultService,
} from '@drover/balancer'
import { createLog, systemClock, systemRandom } from '@drover/kernel'

const [listenPort, ...upstreamPorts] = process.argv.slice(2).map(Number)

const balancer = createBalancer({
  engine: createBuiltinEngine(),
  clock: systemClock,
  random: systemRandom,
  log: createLog('bench', { level: 'warn' }),
})
await balancer.start({
  listeners: [
    defaultListener('door', {
      port: listenPort ?? 0,
      routes: [
        { name: 'all', match: { pathPrefix: '/' }, action: { kind: 'service', service: 'web' } },
      ],
    }),
  ],
  services: [
    defaultService('web', {
      addresses: upstreamPorts.map((port) => ({ host: '127.0.0.1', port, weight: 1 })),
    }),
  ],
  trustedProxies: [],
})
process.once('SIGTERM', () => void balancer.stop(0).then(() => process.exit(0)))
