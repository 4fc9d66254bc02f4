import { createBuiltinEngine } from '../../src/door/builtin-engine.ts'
import { policiesOf } from '../../src/engines/unsupported.ts'
import { engineSuite } from './suite.ts'
import { waitingSuite } from './whole-suite.ts'

const subject = {
  name: 'builtin',
  create: () => createBuiltinEngine(),
  policies: policiesOf('builtin'),
} as const

engineSuite(subject)
waitingSuite(subject)
