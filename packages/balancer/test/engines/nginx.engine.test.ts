import { createNginxEngine } from '../../src/engines/nginx/nginx-engine.ts'
import { policiesOf } from '../../src/engines/unsupported.ts'
import { engineSuite } from './suite.ts'

engineSuite({
  name: 'nginx',
  create: () => createNginxEngine({ workers: 1 }),
  policies: policiesOf('nginx'),
  closesIdle: true,
})
