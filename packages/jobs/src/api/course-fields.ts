import { Fault } from '@drover/kernel'
import { parsePageUrl } from '../fetching/page-url.ts'
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
    ...urlComplaints('request_url', fields.request_url),
    ...complaintOf('type', fields.type, isType(fields.type), '1, 2 or 3'),
    ...(callback === undefined ? [] : urlComplaints('callback_url', callback)),
  ]
  if (complaints.length > 0) throw new BodyRefused(complaints)
  return {
    userId: userId as string | number,
    url: fields.request_url as string,
    type: fields.type as JobType,
    callbackUrl: callback as string | undefined,
  }
}

function urlComplaints(name: string, value: unknown): Complaint[] {
  if (!isText(value)) return complaintOf(name, value, false, 'a string')
  try {
    parsePageUrl(value)
    return []
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return [wrong(name, 'url_parsing', error.message)]
  }
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
  if (body === undefined)
    throw new BodyRefused([{ type: 'missing', loc: ['body'], msg: 'Field required' }])
  const msg = 'Input should be a valid dictionary or object to extract fields from'
  throw new BodyRefused([{ type: 'model_attributes_type', loc: ['body'], msg }])
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longestText
}

function isUserId(value: unknown): boolean {
  return isText(value) || Number.isSafeInteger(value)
}

function isType(value: unknown): boolean {
  return value === 1 || value === 2 || value === 3
}
