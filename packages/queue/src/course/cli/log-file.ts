import { open } from 'node:fs/promises'
import { fault } from '../../errors.ts'
import type { Subscription } from './subscription.ts'

/** One line of a producer's log file: `21:52:23<TAB>MSG1<TAB><TAB>P1<TAB><TAB>T1`. */
export interface LogLine {
  /** From 1. */
  readonly number: number
  readonly message: string
  /** `*` for a topic whose partitions take turns. */
  readonly part: string
  readonly topic: string
}

/** The words of the course, which its users know and search for. */
const incompatible =
  'log file:incompitable, make sure msg for topics are in order for a perticular time'

/** Yields the lines of a producer's log file one by one; empty ones are left out. Throws LOG_FILE_INVALID. */
export async function* readLogFile(path: string): AsyncGenerator<LogLine> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path)
  } catch (cause) {
    throw fault('LOG_FILE_INVALID', `${path} cannot be read`, { cause })
  }
  let number = 0
  try {
    for await (const line of file.readLines()) {
      number++
      if (line.trim() === '') continue
      yield parseLine(path, number, line)
    }
  } finally {
    await file.close()
  }
}

function parseLine(path: string, number: number, line: string): LogLine {
  const [time, message, part, topic, ...more] = line.trim().split(/\s+/)
  if (time === undefined || message === undefined || part === undefined || topic === undefined)
    throw misfit(path, number, 'a line is time, message, partition and topic')
  if (more.length > 0) throw misfit(path, number, `it has more than four words`)
  return { number, message, part, topic }
}

/** Throws LOG_FILE_INVALID unless `line` is one for `wanted`, whose turn it is. */
export function checkTurn(path: string, line: LogLine, wanted: Subscription): void {
  const part = wanted.part ?? '*'
  if (line.topic === wanted.topic && line.part === part) return
  const [is, due] = [`${line.topic}:${line.part}`, `${wanted.topic}:${part}`]
  throw misfit(path, line.number, `it is for ${is}, and the turn is that of ${due}`)
}

function misfit(path: string, number: number, why: string) {
  return fault('LOG_FILE_INVALID', `${incompatible}: line ${number} of ${path}: ${why}`)
}
