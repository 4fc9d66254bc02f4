import type { ServicePlan } from '../../plan.ts'
import { literalPattern } from '../literals.ts'
import { type OwnAnswer, ownAnswers, replacedAnswers } from '../own-answers.ts'
import { servedBy, upstreamName } from './render-upstream.ts'
import { block, filledWord, time, word } from './words.ts'

/** A connection that was upgraded may be silent this long. */
const tunnelMs = 86_400_000

/** Returns the two locations of route `index`, which leads to `service`. */
export function renderServiceLocations(
  service: ServicePlan,
  index: number,
  stripPrefix: string | undefined,
): string[] {
  const { firstByteMs } = service.timeouts
  const lines = (readMs: number) => [
    `set $drover_service ${service.name};`,
    ...(stripPrefix === undefined ? [] : stripLines(stripPrefix)),
    ...answerLines(service),
    ...(servedBy(service).length === 0 ? ['return 503;'] : proxyLines(service, readMs)),
  ]
  return [
    ...block(`location @r${index}`, lines(firstByteMs)),
    ...block(`location @r${index}u`, lines(Math.max(firstByteMs, tunnelMs))),
  ]
}

/** Returns the locations of a service's own answers, named after it. */
export function renderAnswerLocations(service: ServicePlan): string[] {
  return answersOf(service).flatMap((answer) =>
    block(`location ${answerName(service, answer)}`, [
      `default_type ${word(answer.contentType)};`,
      ...(answer.retryAfter ? ['add_header Retry-After 1 always;'] : []),
      `return ${answer.status} ${filledWord(answer.body)};`,
    ]),
  )
}

/** Returns the zone that counts the clients of a service with a rate limit. */
export function renderRateZone({ name, rateLimit }: ServicePlan): string[] {
  if (rateLimit === undefined) return []
  const { perSecond } = rateLimit
  const rate = Number.isInteger(perSecond) ? `${perSecond}r/s` : `${perSecond * 60}r/m`
  return [`limit_req_zone $binary_remote_addr zone=drover_rate_${name}:8m rate=${rate};`]
}

/**
 * Where a replica's answers are replaced nginx looks at all statuses that have an answer, so the
 * door's own ones stay nginx's there.
 */
function answersOf(service: ServicePlan): OwnAnswer[] {
  const replaced = replacedAnswers(service)
  return replaced.length > 0 ? replaced : ownAnswers(service)
}

function answerName(service: ServicePlan, answer: OwnAnswer): string {
  return `@${service.name}-${answer.engineStatus}`
}

function answerLines(service: ServicePlan): string[] {
  const isReplacing = replacedAnswers(service).length > 0
  return [
    ...(isReplacing ? ['proxy_intercept_errors on;'] : []),
    ...answersOf(service).map(
      (answer) => `error_page ${answer.engineStatus} = ${answerName(service, answer)};`,
    ),
  ]
}

/** The query string is kept: a new path does not touch it. */
function stripLines(prefix: string): string[] {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  return [`rewrite "^${literalPattern(bare)}/*(.*)$" /$1 break;`]
}

function proxyLines(service: ServicePlan, readMs: number): string[] {
  const { timeouts, retry, rateLimit } = service
  return [
    ...(rateLimit ? [rateLine(service.name, rateLimit.burst)] : []),
    `proxy_connect_timeout ${time(timeouts.connectMs)};`,
    `proxy_read_timeout ${time(readMs)};`,
    `proxy_send_timeout ${time(readMs)};`,
    retry.attemptsMax > 1 ? 'proxy_next_upstream error timeout;' : 'proxy_next_upstream off;',
    `proxy_next_upstream_tries ${retry.attemptsMax};`,
    // Longer than a connection takes to fail, shorter than an answer: no answer is not repeated.
    `proxy_next_upstream_timeout ${time(timeouts.firstByteMs)};`,
    `proxy_pass http://${upstreamName(service.name)};`,
  ]
}

/** nginx lets one request pass beside the burst. */
function rateLine(service: string, burst: number): string {
  const more = burst > 1 ? ` burst=${burst - 1} nodelay` : ''
  return `limit_req zone=drover_rate_${service}${more};`
}
