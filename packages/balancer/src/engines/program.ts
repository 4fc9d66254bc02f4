import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { type Clock, withDeadline } from '@drover/kernel'
import { fault } from '../errors.ts'

/** How a program that was run to its end came out. */
export interface ProgramResult {
  readonly code: number | null
  /** Standard output and standard error, at most 64 KiB. */
  readonly output: string
}

/** A foreign program that can be used. */
export interface FoundProgram {
  readonly file: string
  /** As numbers: 1.22.1 is [1, 22, 1]. */
  readonly version: readonly number[]
}

const outputCharsMax = 65_536
const runMs = 20_000
/** Debian keeps servers where the PATH of an ordinary user does not look. */
const otherFolders = ['/usr/sbin/', '/usr/local/sbin/']

/** Runs `file` to its end and returns what it said. Throws DEADLINE_PASSED after 20 s. */
export async function runProgram(
  file: string,
  words: readonly string[],
  clock: Clock,
): Promise<ProgramResult> {
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const gather = (chunk: Buffer) => {
    if (output.length < outputCharsMax) output += chunk.toString()
  }
  child.stdout.on('data', gather)
  child.stderr.on('data', gather)
  const ended = new Promise<ProgramResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output: output.slice(0, outputCharsMax) }))
  })
  try {
    return await withDeadline(`${file} ${words.join(' ')}`, runMs, clock, ended)
  } finally {
    child.kill('SIGKILL')
  }
}

/**
 * Finds `name` on the PATH and asks its version by `-v`. Throws ENGINE_FAILED when it is missing or
 * older than `least`.
 */
export async function findProgram(
  name: string,
  least: readonly number[],
  clock: Clock,
): Promise<FoundProgram> {
  const files = name.includes('/') ? [name] : [name, ...otherFolders.map((one) => one + name)]
  for (const file of files) {
    const output = await versionText(file, clock)
    if (output === undefined) continue
    const version = parseVersion(output)
    if (version && isAtLeast(version, least)) return { file, version }
    throw fault(
      'ENGINE_FAILED',
      `${file} is too old: version ${least.join('.')} or later is needed, it says "${output.trim()}"`,
    )
  }
  throw fault(
    'ENGINE_FAILED',
    `${name} is not installed (nor in /usr/sbin); install it, or use the engine builtin`,
  )
}

async function versionText(file: string, clock: Clock): Promise<string | undefined> {
  try {
    const { output } = await runProgram(file, ['-v'], clock)
    return output.split('\n')[0] ?? ''
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw fault('ENGINE_FAILED', `${file} cannot be run`, { cause: error })
  }
}

function parseVersion(text: string): number[] | undefined {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)
  return match?.slice(1).map((part) => Number(part ?? 0))
}

/** Holds when `version` is `least` or later. */
export function isAtLeast(version: readonly number[], least: readonly number[]): boolean {
  for (let index = 0; index < least.length; index++) {
    const difference = (version[index] ?? 0) - (least[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/** Returns how many files a child of ours may have open; 1,024 where the system does not tell. */
export async function filesMax(): Promise<number> {
  try {
    const text = await readFile('/proc/self/limits', 'latin1')
    return Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? 1_024)
  } catch {
    // Not Linux.
    return 1_024
  }
}
