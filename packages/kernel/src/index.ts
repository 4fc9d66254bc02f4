export { type BackoffOptions, backoffMs } from './backoff.ts'
export { compileCheck } from './check.ts'
export {
  type Cancel,
  type Clock,
  createManualClock,
  type ManualClock,
  systemClock,
} from './clock.ts'
export { type ConfigProblem, type Found, invalid, loadConfig, parseConfig } from './config.ts'
export { withDefaults } from './config-defaults.ts'
export { kernelFaults } from './errors.ts'
export {
  describeError,
  Fault,
  type FaultRow,
  faults,
  fromProblem,
  type MakeFault,
  type Problem,
  type Retry,
  toProblem,
} from './fault.ts'
export { createHttpServer, type HttpServerOptions } from './http-server.ts'
export { type Service, startAll, stopAll, withDeadline } from './lifecycle.ts'
export { createLog, type Log, type LogOptions, silentLog } from './log.ts'
export { MetricsText } from './metrics-text.ts'
export { nearest } from './nearest.ts'
export { type Random, randomToken, seededRandom, systemRandom } from './random.ts'
export { type Static, type TSchema, Type } from './schema.ts'
export { type Address, formatAddress, parseAddress, parseDuration, parseSize } from './units.ts'
