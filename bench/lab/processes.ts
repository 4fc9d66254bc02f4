import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Lab } from './lab.ts'

const stopMs = 3_000
const outputBytesMax = 1_000_000

/** What to start, and where. */
export interface Program {
  readonly command: string
  readonly args: readonly string[]
  /** The core it is pinned to; absent: wherever the system likes. */
  readonly core?: number | undefined
  readonly env?: Readonly<Record<string, string>>
}

/** A process that the lab started and will stop. */
export interface Started {
  /** Of the process itself: `taskset` replaces itself by what it pins. */
  readonly pid: number
  /** What it wrote so far, at most the last megabyte. */
  output(): string
  /** Resolves with the exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>
  stop(): Promise<void>
}

/** Starts a program; it is stopped with the lab at the latest. */
export async function startProgram(lab: Lab, program: Program): Promise<Started> {
  lab.checkOpen()
  const { command, args, core, env } = program
  const words =
    core === undefined ? [command, ...args] : ['taskset', '-c', `${core}`, command, ...args]
  const child = spawn(words[0] ?? command, words.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-outputBytesMax)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  await once(child, 'spawn')
  const stop = (): Promise<void> => stopChild(child)
  lab.onStop(stop)
  return { pid: child.pid ?? -1, output: () => output, ended, stop }
}

/** Runs a program to its end and returns what it wrote; throws when it fails. */
export async function runProgram(lab: Lab, program: Program): Promise<string> {
  const started = await startProgram(lab, program)
  const code = await started.ended
  if (code !== 0)
    throw new Error(`${program.command} ended with ${code}: ${started.output().slice(-2_000)}`)
  return started.output()
}

/** Returns the program that runs a compiled file of this folder on the Node that runs us. */
export function nodeProgram(file: string, args: readonly string[] = []): Program {
  return {
    command: process.execPath,
    args: [fileURLToPath(new URL(`../${file}`, import.meta.url)), ...args],
  }
}

/** Waits until `port` of this machine takes connections; throws when the process ends before that. */
export async function waitForPort(port: number, started: Started): Promise<void> {
  let hasEnded = false
  void started.ended.then(() => {
    hasEnded = true
  })
  for (const untilMs = performance.now() + 10_000; performance.now() < untilMs; ) {
    if (await takesConnections(port)) return
    if (hasEnded) break
    await sleep(20)
  }
  throw new Error(`nobody listens on port ${port}: ${started.output().slice(-2_000)}`)
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** Asks to end, and insists after a while. */
async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const insist = setTimeout(() => child.kill('SIGKILL'), stopMs)
  await ended
  clearTimeout(insist)
}
