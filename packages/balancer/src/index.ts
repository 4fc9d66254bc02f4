export {
  type Balancer,
  type BalancerEvent,
  type BalancerParts,
  createBalancer,
  type NewReplica,
} from './balancer.ts'
export { type BuiltinEngineOptions, createBuiltinEngine } from './door/builtin-engine.ts'
export {
  createHaproxyEngine,
  type HaproxyEngineOptions,
} from './engines/haproxy/haproxy-engine.ts'
export { createNginxEngine, type NginxEngineOptions } from './engines/nginx/nginx-engine.ts'
export { balancerFaults } from './errors.ts'
export type {
  AddressModel,
  CertificateModel,
  CheckModel,
  EjectionModel,
  HealthModel,
  ListenerModel,
  Model,
  ServiceModel,
  SlowStartModel,
  TlsModel,
} from './model.ts'
export {
  defaultCheck,
  defaultEjection,
  defaultHealth,
  defaultListener,
  defaultService,
} from './options.ts'
export type {
  AnswerPlan,
  Engine,
  EngineEvent,
  EngineStats,
  KeySource,
  ListenerLimits,
  ListenerTimeouts,
  PolicyName,
  PolicyPlan,
  QueuePlan,
  RateLimitPlan,
  RefusedRequest,
  RetryPlan,
  RouteAction,
  RouteMatch,
  RoutePlan,
  ServiceTimeouts,
  StickyPlan,
} from './plan.ts'
export { policyNames } from './plan.ts'
export {
  checkPolicyOptions,
  type PolicyEntry,
  type PolicyOption,
  policies,
} from './policies/table.ts'
export type { ReplicaState, Transition } from './replica-health.ts'
export type { BalancerStatus, ListenerStatus, ReplicaStatus, ServiceStatus } from './status.ts'
export { tryModel } from './try-model.ts'
