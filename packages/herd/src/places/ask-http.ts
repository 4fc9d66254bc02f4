import { fault } from '../errors.ts'

const answerBytesMax = 4 * 1_048_576

/** What came back: the status and the body's JSON. */
export interface HttpAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/**
 * Sends one request and returns the JSON that answers it. Throws PLACES_UNREACHABLE when there is
 * none; the message names the host only, because the URL may hold a key.
 */
export async function askHttp(url: URL, init: RequestInit): Promise<HttpAnswer> {
  try {
    const response = await fetch(url, { ...init, redirect: 'error' })
    const body: unknown = JSON.parse(await readBody(response))
    if (typeof body !== 'object' || body === null) throw new TypeError('the body is no object')
    return { status: response.status, body: body as Record<string, unknown> }
  } catch (error) {
    // The original error may quote the URL with the key in it, so only its kind is kept.
    throw fault('PLACES_UNREACHABLE', `${url.host} gave no answer: ${kindOf(error)}`)
  }
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > answerBytesMax) throw new RangeError('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown failure'
  const cause = error.cause as { code?: unknown } | undefined
  if (typeof cause?.code === 'string') return cause.code
  return error.name === 'TimeoutError' || error.name === 'AbortError' ? 'too late' : error.name
}
