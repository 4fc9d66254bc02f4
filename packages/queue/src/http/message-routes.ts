import { Readable } from 'node:stream'
import { type Clock, compileCheck, type Static, Type } from '@drover/kernel'
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import type { Message } from '../message.ts'
import type { Position, ProduceOptions, QueueEngine } from '../queue-engine.ts'
import {
  formatLengthPrefixed,
  fromJson,
  type JsonMessage,
  parseLengthPrefixed,
  parseLines,
  toJson,
} from './json-message.ts'
import { Batch, FetchQuery, PartitionPath, ProduceQuery, TopicPath } from './schemas.ts'

const lines = 'application/x-ndjson'
const binary = 'application/octet-stream'
/** How long a stream waits for the next message before it looks whether its reader is still there. */
const streamWaitMs = 10_000

/** Storing messages, and reading them by offset. */
export function addMessageRoutes(server: FastifyInstance, engine: QueueEngine, clock: Clock): void {
  server.addContentTypeParser(lines, { parseAs: 'string' }, (_request, text, done) =>
    done(null, text),
  )
  server.addContentTypeParser(binary, { parseAs: 'buffer' }, (_request, bytes, done) =>
    done(null, bytes),
  )
  server.post(
    '/v1/topics/:topic/messages',
    {
      schema: {
        summary: 'Store messages',
        description: `JSON {"messages": […]}, ${lines} (one message a line), or ${binary} (u32 length and value, …). Answers when they are on disk.`,
        tags: ['messages'],
        params: TopicPath,
        querystring: ProduceQuery,
        // Checked below: it depends on the type of the content.
        body: Type.Unknown(),
      },
    },
    async (request, reply) => {
      const { topic } = request.params as Static<typeof TopicPath>
      const query = request.query as ProduceQuery
      const messages = readMessages(request.body, query, clock.now())
      const receipts = await engine.produce(topic, messages, optionsOf(query))
      reply.status(201)
      return { receipts }
    },
  )
  server.get(
    '/v1/topics/:topic/partitions/:partition/messages',
    {
      schema: {
        summary: 'Read messages from an offset or a time',
        description: `JSON; ${lines} or ${binary} (u64 offset, u32 length, value, …) when Accept asks for it. Waits up to waitMs for the first. stream=true goes on in lines.`,
        tags: ['messages'],
        params: PartitionPath,
        querystring: FetchQuery,
      },
    },
    async (request, reply) => {
      const { topic, partition } = request.params as Static<typeof PartitionPath>
      const query = request.query as FetchQuery
      const gone = new AbortController()
      reply.raw.on('close', () => gone.abort())
      if (query.stream) {
        reply.type(lines)
        return reply.send(Readable.from(streamLines(engine, topic, partition, query, gone.signal)))
      }
      const from = positionOf(query)
      const found = await engine.fetch(topic, partition, from, query, gone.signal)
      const { records, nextOffset, endOffset } = found
      reply.headers({ 'drover-next-offset': nextOffset, 'drover-end-offset': endOffset })
      const { accept = '' } = request.headers
      if (accept.includes(binary)) return reply.type(binary).send(formatLengthPrefixed(records))
      if (accept.includes(lines))
        return reply
          .type(lines)
          .send(records.map((one) => `${JSON.stringify(toJson(one))}\n`).join(''))
      return { messages: records.map(toJson), nextOffset, endOffset }
    },
  )
}

const checkBatch = compileCheck(Batch)

function readMessages(body: unknown, query: ProduceQuery, nowMs: number): Message[] {
  const place = {
    ...(query.partition === undefined ? {} : { partition: query.partition }),
    ...(query.key === undefined ? {} : { key: query.key }),
  }
  if (Buffer.isBuffer(body)) return parseLengthPrefixed(body).map((value) => ({ value, ...place }))
  const found = typeof body === 'string' ? { messages: parseLines(body) } : body
  const problem = checkBatch(found)
  if (problem !== undefined) throw fault('BATCH_INVALID', problem)
  return (found as Static<typeof Batch>).messages.map((json) => ({
    ...place,
    ...fromJson(json as JsonMessage, nowMs),
  }))
}

function optionsOf({ acks, producer, epoch = 0, sequence }: ProduceQuery): ProduceOptions {
  return {
    ...(acks === undefined ? {} : { acks }),
    ...(producer === undefined || sequence === undefined
      ? {}
      : { sequence: { producer, epoch, first: sequence } }),
  }
}

function positionOf({ offset, timeMs, from }: FetchQuery): Position {
  if (offset !== undefined) return { offset }
  if (timeMs !== undefined) return { timeMs }
  return from ?? 'earliest'
}

/**
 * One line for each message as it comes, until the reader hangs up. An empty line comes first and
 * whenever nothing came for a while: it sends the headers, and finds out who is gone.
 */
async function* streamLines(
  engine: QueueEngine,
  topic: string,
  partition: number,
  query: FetchQuery,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let from = positionOf(query)
  yield '\n'
  while (!signal.aborted) {
    const options = { waitMs: streamWaitMs }
    const { records, nextOffset } = await engine.fetch(topic, partition, from, options, signal)
    from = { offset: nextOffset }
    yield records.map((one) => `${JSON.stringify(toJson(one))}\n`).join('') || '\n'
  }
}
