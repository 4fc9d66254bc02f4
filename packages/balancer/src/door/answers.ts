import { STATUS_CODES } from 'node:http'
import { Fault, toProblem } from '@drover/kernel'
import { type BalancerFaultCode, balancerFaults } from '../errors.ts'
import type { AnswerPlan, RouteAction } from '../plan.ts'
import type { RequestHead } from './parsing/request-head.ts'
import { redirectLocation } from './router.ts'

/** A whole answer that the door gives by itself. */
export interface DoorAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
  /** More header lines, each with its CRLF. */
  readonly lines: string
}

const none: readonly AnswerPlan[] = []

/** Holds for the statuses whose answers never have a body (RFC 9110 §6.4.1). */
export function isBodiless(status: number): boolean {
  return status < 200 || status === 204 || status === 304
}

/**
 * Returns `answer` to a request of `method` as it is written in HTTP/1.1, as latin1 text.
 * `connection` is its Connection line, or empty.
 */
export function answerText(answer: DoorAnswer, method: string, connection: string): string {
  const { status, contentType, lines } = answer
  const start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`
  if (isBodiless(status)) return `${start}${lines}${connection}\r\n`
  const body = Buffer.from(answer.body)
  return (
    `${start}content-type: ${contentType}\r\ncontent-length: ${body.length}\r\n` +
    `${lines}${connection}\r\n${method === 'HEAD' ? '' : body.toString('latin1')}`
  )
}

/** Returns the door's own answer for a fault: a problem document, or what the service puts in its place. */
export function faultAnswer(
  code: BalancerFaultCode,
  message: string,
  path: string,
  answers: readonly AnswerPlan[] = none,
): DoorAnswer {
  const row = balancerFaults[code]
  const lines = row.retry === 'later' && row.status !== 502 ? 'retry-after: 1\r\n' : ''
  const own = answers.find((answer) => answer.code === code || answer.code === '*')
  if (own) return { ...filled(own, path, message, code), lines }
  const problem = toProblem(new Fault(code, row, message))
  return {
    status: row.status,
    contentType: 'application/problem+json',
    body: JSON.stringify(problem),
    lines,
  }
}

/** Returns the answer of a route that leads to no service: a redirect, a fixed one, or NO_ROUTE. */
export function routeAnswer(action: RouteAction | undefined, head: RequestHead): DoorAnswer {
  if (action?.kind === 'answer') return { ...action, lines: '' }
  if (action?.kind === 'redirect') {
    const lines = `location: ${redirectLocation(action.location, head)}\r\n`
    return { status: action.status, contentType: 'text/plain', body: '', lines }
  }
  const reason = action ? `service ${action.service} is not known` : 'no route fits'
  return faultAnswer('NO_ROUTE', `${head.method} ${head.path}: ${reason}`, head.path)
}

/** Returns the answer that replaces a replica's answer of `status`; undefined when none does. */
export function replacedAnswer(
  answers: readonly AnswerPlan[],
  status: number,
  path: string,
): DoorAnswer | undefined {
  const plan = answers.find((answer) => answer.status === status)
  return plan && { ...filled(plan, path, `the replica answered ${status}`, ''), lines: '' }
}

function filled(plan: AnswerPlan, path: string, message: string, code: string) {
  const { status, contentType, body } = plan.with
  const quote = escapeFor(contentType)
  const values: Record<string, string> = { path, message, code }
  const text = body.replace(/\{(path|message|code)\}/g, (_, name: string) =>
    quote(values[name] ?? ''),
  )
  return { status, contentType, body: text }
}

/** What a client wrote must not become markup or break out of a JSON string. */
function escapeFor(contentType: string): (text: string) => string {
  if (contentType.includes('json')) return (text) => JSON.stringify(text).slice(1, -1)
  if (contentType.includes('html'))
    return (text) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
  return (text) => text
}
