/** What a manager of the course answers: the keys of the body in the order that its clients know. */
export interface CourseAnswer {
  readonly status: 200 | 400 | 404 | 500
  readonly body: {
    readonly message: unknown
    readonly topic?: string
    readonly note?: string
    readonly status: 'success' | 'failure'
  }
}

/** Returns the answer to a call that was carried out. */
export function success(
  message: unknown,
  more: { topic?: string; note?: string } = {},
): CourseAnswer {
  return { status: 200, body: { message, ...more, status: 'success' } }
}

/** Returns the answer to a call that could not be carried out; clients look for status 400 or 500. */
export function failure(message: string, more: { topic?: string } = {}): CourseAnswer {
  return { status: 400, body: { message, ...more, status: 'failure' } }
}
