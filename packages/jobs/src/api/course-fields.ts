import { Fault } from '@drover/kernel'
import type { JobType } from '../reading/read-page.ts'
import type { JobRequest } from './submit.ts'

/** One complaint, in the form that the course's clients know. */
interface Complaint {
  readonly type: string
  readonly loc: readonly (string | number)[]
  readonly msg: string
}

/** A body of the course's requests that cannot be; carries the answer. */
export class BodyRefused extends Error {
  readonly detail: readonly Complaint[]

  constructor(detail: readonly Complaint[]) {
    super('the body is refused')
    this.detail = detail
  }
}

const longestText = 4_096

/** Returns the texts of `names` in `body`. Throws BodyRefused that names every wrong field. */
export function readTexts<Name extends string>(
  body: unknown,
  names: readonly Name[],
): Record<Name, string> {
  const fields = asObject(body)
  const complaints = names.flatMap((name) => {
    if (fields[name] === undefined) return [missing(name)]
    const fits = typeof fields[name] === 'string' && fields[name].length <= longestText
    return fits ? [] : [wrong(name, 'string_type', 'Input should be a valid string')]
  })
  if (complaints.length > 0) throw new BodyRefused(complaints)
  return fields as Record<Name, string>
}

/** Returns the job that a body of `/receive_data` asks for. Throws BodyRefused. */
export function readJobRequest(body: unknown): JobRequest {
  const fields = asObject(body)
  const userId = fields.user_id ?? fields.user_Id
  const callback = fields.callback_url ?? fields.callback ?? undefined
  const complaints = [
    ...complaintOf('user_id', userId, isUserId(userId), 'a string or an integer'),
    ...complaintOf('request_url', fields.request_url, isText(fields.request_url), 'a string'),
    ...complaintOf('type', fields.type, isType(fields.type), '1, 2 or 3'),
    ...(callback === undefined || isText(callback)
      ? []
      : [wrong('callback_url', 'string_type', 'Input should be a valid string')]),
  ]
  if (complaints.length > 0) throw new BodyRefused(complaints)
  return {
    userId: userId as string | number,
    url: fields.request_url as string,
    type: fields.type as JobType,
    callbackUrl: callback as string | undefined,
  }
}

/** Returns the complaint for an address that turned out to be none. */
export function urlComplaint(request: JobRequest, error: unknown): BodyRefused | undefined {
  if (!(error instanceof Fault) || error.code !== 'URL_INVALID') return undefined
  const own = URL.canParse(request.url) && /^https?:/i.test(request.url)
  const field = own && request.callbackUrl !== undefined ? 'callback_url' : 'request_url'
  return new BodyRefused([wrong(field, 'url_parsing', error.message)])
}

function complaintOf(name: string, value: unknown, fits: boolean, wanted: string): Complaint[] {
  if (value === undefined) return [missing(name)]
  return fits ? [] : [wrong(name, 'type_error', `Input should be ${wanted}`)]
}

function missing(name: string): Complaint {
  return { type: 'missing', loc: ['body', name], msg: 'Field required' }
}

function wrong(name: string, type: string, msg: string): Complaint {
  return { type, loc: ['body', name], msg }
}

function asObject(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>
  const msg = 'Input should be a valid dictionary or object to extract fields from'
  throw new BodyRefused([{ type: 'model_attributes_type', loc: ['body'], msg }])
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= longestText
}

function isUserId(value: unknown): boolean {
  return isText(value) || Number.isSafeInteger(value)
}

function isType(value: unknown): boolean {
  return value === 1 || value === 2 || value === 3
}
