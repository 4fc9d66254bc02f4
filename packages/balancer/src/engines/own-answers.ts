import { Fault, toProblem } from '@drover/kernel'
import { type BalancerFaultCode, balancerFaults } from '../errors.ts'
import type { AnswerPlan, ServicePlan } from '../plan.ts'

/** An answer that an engine gives in the name of the door, ready but for `{path}`. */
export interface OwnAnswer {
  /** What the engine itself would answer with. */
  readonly engineStatus: number
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly retryAfter: boolean
}

/**
 * What foreign engines know is a status, not why; each stands for the code that it mostly means.
 */
const meanings: readonly [status: number, code: BalancerFaultCode, message: string][] = [
  [429, 'RATE_LIMITED', 'this client sends too many requests'],
  [502, 'REPLICA_FAILED', 'no replica could answer'],
  [503, 'NO_REPLICA', 'no replica can take the request now'],
  [504, 'REPLICA_TIMEOUT', 'the replica did not answer in time'],
]

/** Returns the door's own answers of `service`: problem documents, or what its plan says instead. */
export function ownAnswers(service: ServicePlan): OwnAnswer[] {
  return meanings.map(([engineStatus, code, message]) => {
    const row = balancerFaults[code]
    const own = service.answers.find((answer) => answer.code === code || answer.code === '*')
    const retryAfter = row.retry === 'later' && row.status !== 502
    if (own) return { engineStatus, retryAfter, ...fill(own, message, code) }
    return { engineStatus, retryAfter, ...problemAnswer(code, message) }
  })
}

/** Returns what replaces a replica's answers, by the status that they have. */
export function replacedAnswers(service: ServicePlan): OwnAnswer[] {
  return service.answers.flatMap((answer) =>
    answer.status === undefined
      ? []
      : [
          {
            engineStatus: answer.status,
            retryAfter: false,
            ...fill(answer, `the replica answered ${answer.status}`, ''),
          },
        ],
  )
}

/** Returns the problem document of a code. */
export function problemAnswer(code: BalancerFaultCode, message: string) {
  const row = balancerFaults[code]
  return {
    status: row.status,
    contentType: 'application/problem+json',
    body: JSON.stringify(toProblem(new Fault(code, row, message))),
  }
}

/** Fills `{message}` and `{code}`, which do not depend on the request; `{path}` stays. */
function fill({ with: plan }: AnswerPlan, message: string, code: string) {
  const body = plan.body.replaceAll('{message}', message).replaceAll('{code}', code)
  return { status: plan.status, contentType: plan.contentType, body }
}
