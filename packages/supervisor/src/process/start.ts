import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { type Clock, describeError } from '@drover/kernel'
import { fault } from '../errors.ts'
import { readOutput } from '../flow.ts'
import { createLineSplitter } from '../lines.ts'
import { fillIn, replicaEnv, type SpawnOrder } from '../runtime.ts'

/** Where a node program finds the channel to its parent. */
const channelNumber = 3

/** What a program is started with beside its order. */
export interface StartParts {
  readonly host: string
  readonly port: number
  readonly mark: Readonly<Record<string, string>>
  readonly clock: Clock
}

/** Resolves when the program runs; rejects with SPAWN_FAILED that says what is missing. */
export function startProgram(
  order: SpawnOrder,
  { host, port, mark, clock }: StartParts,
): Promise<ChildProcess> {
  const { runtime } = order.spec
  if (runtime.kind !== 'process') throw new TypeError(`${runtime.kind} is not a process`)
  const [program = '', ...words] = fillIn(runtime.command, order, port)
  const child = spawn(program, words, {
    ...(runtime.cwd === undefined ? {} : { cwd: runtime.cwd }),
    // Replicas see what their supervisor sees (PATH, HOME, ...), as under any shell.
    env: {
      ...process.env,
      ...replicaEnv(order, host, port),
      ...mark,
      ...(isNode(program) ? channelEnv : {}),
    },
    stdio: ['ignore', 'pipe', 'pipe', ...(isNode(program) ? ['pipe' as const] : [])],
    detached: true,
  })
  listen(child, order, clock)
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child))
    // Not once: a failure that comes later must find a listener too.
    child.on('error', (cause) => reject(cannotStart(program, runtime.cwd, cause)))
  })
}

/** Reads all that a replica says, in its output and over its channel. */
function listen(child: ChildProcess, order: SpawnOrder, clock: Clock): void {
  const take = (source: unknown, taker: (chunk: Buffer) => number) => {
    if (!source) return
    readOutput(source as Readable, taker, clock)
  }
  take(child.stdout, (chunk) => order.output('stdout', chunk))
  take(child.stderr, (chunk) => order.output('stderr', chunk))
  const messages = createLineSplitter((line) => {
    if (line === '"ready"') order.onReady()
  })
  take(child.stdio[channelNumber], (chunk) => messages.push(chunk))
}

/**
 * The channel of node's `process.send`, which we read as lines of JSON ourselves: node's own reader
 * brings its process down when the other side writes anything else, and keeps lines of any length.
 */
const channelEnv = {
  NODE_CHANNEL_FD: String(channelNumber),
  NODE_CHANNEL_SERIALIZATION_MODE: 'json',
}

/**
 * Only a node program is given a channel: others would pass its number on in the environment to node
 * programs that then look for a channel which they do not have, and die.
 */
function isNode(program: string): boolean {
  return program === process.execPath || /^node(js)?$/.test(basename(program))
}

function cannotStart(program: string, cwd: string | undefined, cause: Error) {
  const code = (cause as NodeJS.ErrnoException).code
  if (cwd !== undefined && !statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
    return fault('SPAWN_FAILED', `the folder "${cwd}" does not exist`, { cause })
  if (code === 'ENOENT')
    return fault('SPAWN_FAILED', `the program "${program}" was not found`, { cause })
  if (code === 'EACCES')
    return fault('SPAWN_FAILED', `the program "${program}" may not be run`, { cause })
  return fault('SPAWN_FAILED', `"${program}" could not be started: ${describeError(cause)}`, {
    cause,
  })
}
