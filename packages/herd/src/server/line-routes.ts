import { type createHttpServer, type Static, Type } from '@drover/kernel'
import { AnswerBuffer } from './answer-buffer.ts'
import type { LineProtocol } from './line-protocol.ts'

const lineBody = Type.Object(
  {
    line: Type.String({
      minLength: 1,
      maxLength: 16_384,
      pattern: '^[\\t\\x20-\\xff]+$',
      description: 'one line of the protocol, without its end; one character is one byte',
    }),
  },
  { additionalProperties: false },
)

/** Adds the route by which a page says what clients say over TCP: the same line, the same answer. */
export function addLineRoutes(
  server: Awaited<ReturnType<typeof createHttpServer>>,
  protocol: LineProtocol,
): void {
  server.post('/v1/lines', { schema: { body: lineBody } }, async (request) => {
    const bytes = Buffer.from((request.body as Static<typeof lineBody>).line, 'latin1')
    const answers = new AnswerBuffer()
    const outcome = protocol.line(bytes, 0, bytes.length, answers)
    if (outcome instanceof Promise) return { answer: (await outcome).toString('latin1') }
    if (outcome !== undefined) await new Promise<void>((resolve) => outcome.whenDone(resolve))
    return { answer: answers.written.toString('latin1') }
  })
}
