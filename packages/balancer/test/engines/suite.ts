import { after, describe } from 'node:test'
import { balancingSuite } from './balancing-suite.ts'
import { changingSuite } from './changing-suite.ts'
import { closeConnections } from './client.ts'
import { countingSuite } from './counting-suite.ts'
import { failingSuite } from './failing-suite.ts'
import { routingSuite } from './routing-suite.ts'
import type { EngineSubject } from './running.ts'
import { tlsSuite } from './tls-suite.ts'
import { wholeSuite } from './whole-suite.ts'

/** What every engine must do alike: send requests by the plan, and lose none when it changes. */
export function engineSuite(subject: EngineSubject): void {
  describe(`the engine ${subject.name}`, () => {
    after(closeConnections)
    routingSuite(subject)
    balancingSuite(subject)
    failingSuite(subject)
    changingSuite(subject)
    countingSuite(subject)
    tlsSuite(subject)
    wholeSuite(subject)
  })
}
