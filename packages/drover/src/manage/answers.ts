import { type AnswerPlan, balancerFaults } from '@drover/balancer'

const contentType = 'application/json'
const notFound = `{"message":"<Error> '{path}' endpoint does not exist in server replicas","status":"failure"}`
const failed = '{"message":"<Error> {message}","status":"failure"}'

/**
 * The course's shape for what goes wrong: a path that no replica serves is 400, and the door's own
 * faults (no replica alive: 503) keep their status.
 */
export const classroomAnswers: readonly AnswerPlan[] = [
  { status: 404, with: { status: 400, contentType, body: notFound } },
  ...Object.entries(balancerFaults)
    .filter(([, { status }]) => status === 429 || status >= 500)
    .map(([code, { status }]) => ({ code, with: { status, contentType, body: failed } })),
]
