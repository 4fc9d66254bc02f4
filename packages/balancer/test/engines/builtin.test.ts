import { createBuiltinEngine } from '../../src/door/builtin-engine.ts'
import { policiesOf } from '../../src/engines/unsupported.ts'
import { engineSuite } from './suite.ts'

engineSuite({
  name: 'builtin',
  create: () => createBuiltinEngine(),
  policies: policiesOf('builtin'),
})
