import { STATUS_CODES } from 'node:http'
import type { OwnAnswer } from '../own-answers.ts'
import { literal, word } from './words.ts'

/** A file that the configuration names. */
export interface SideFile {
  readonly file: string
  readonly text: string
}

/**
 * Gathers what HAProxy is to answer, since its configuration has one line for each thing and answers
 * may have more: each goes to a file of its own.
 */
export class AnswerFiles {
  readonly files: SideFile[] = []
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** Returns the words of a `return` rule that answers with `answer`. */
  returned(answer: Pick<OwnAnswer, 'status' | 'contentType' | 'body'>, retryAfter = false): string {
    const { status, contentType, body } = answer
    const hasPath = body.includes('{path}')
    const file = this.#add(hasPath ? withPath(body, contentType) : body)
    const kind = hasPath ? 'lf-file' : 'file'
    const more = retryAfter ? ' hdr Retry-After 1' : ''
    return `return status ${status} content-type ${word(contentType)} ${kind} ${word(file)}${more}`
  }

  /** Returns the `errorfile` line for what HAProxy itself would answer with `engineStatus`. */
  errorFile(answer: OwnAnswer): string {
    const { engineStatus, status, contentType, body, retryAfter } = answer
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Answer'}`,
      `Content-Type: ${contentType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
      ...(retryAfter ? ['Retry-After: 1'] : []),
      '',
      body,
    ]
    return `errorfile ${engineStatus} ${word(this.#add(lines.join('\r\n')))}`
  }

  #add(text: string): string {
    const file = `${this.#prefix}-answer-${this.files.length}.txt`
    this.files.push({ file, text })
    return file
  }
}

/** What a client wrote must not break out of a JSON string. */
function withPath(body: string, contentType: string): string {
  const escaping = contentType.includes('json') ? ',json(utf8s)' : ''
  return literal(body).replaceAll('{path}', () => `%[var(txn.drover_path)${escaping}]`)
}
