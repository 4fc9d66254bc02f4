import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** The variable that marks every process that descends from a replica. */
export const markVariable = 'DROVER_RUN'

/** One process of this machine. */
export interface ProcessEntry {
  readonly pid: number
  readonly group: number
  /**
   * When it started; with the pid this names a process for ever (until a reboot). In clock ticks since
   * the machine started from /proc, in seconds since 1970 from `ps`.
   */
  readonly startTicks: number
  /** It has ended and waits only for its parent to notice. */
  readonly zombie: boolean
  /** The value of `markVariable` that it was started with; only /proc tells. */
  readonly mark: string | undefined
}

const hasProc = existsSync('/proc/self/stat')
const psWords = ['-o', 'pid=,pgid=,stat=,lstart=']
const psOptions = { env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' } }

/**
 * Returns when the process `pid` started; undefined when there is none. Blocks for some 20 µs, for
 * some ms where there is no /proc.
 */
export function startTicksOf(pid: number): number | undefined {
  try {
    const entry = hasProc
      ? parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
      : parsePs(execFileSync('ps', [...psWords, '-p', String(pid)], psOptions).toString())[0]
    return entry?.zombie ? undefined : entry?.startTicks
  } catch {
    // It is gone.
    return undefined
  }
}

/** Returns what names this boot of the machine, so that pids noted before a reboot mean nothing. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    // `ps` tells starts as dates, which are told apart without it.
    return 'unknown'
  }
}

/**
 * Returns every process of this machine. Costs two small reads for each, off the main thread: some
 * 10 to 30 ms where 300 run.
 */
export async function listProcesses(): Promise<ProcessEntry[]> {
  if (!hasProc) {
    const { stdout } = await promisify(execFile)('ps', ['-ax', ...psWords], psOptions)
    return parsePs(stdout)
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const entries = await Promise.all(pids.map((pid) => readEntry(pid)))
  return entries.filter((entry) => entry !== undefined)
}

async function readEntry(pid: string): Promise<ProcessEntry | undefined> {
  try {
    const [stat, environ] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'latin1'),
      // Another user's environment cannot be read; such a process is none of ours.
      readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
    ])
    return { ...parseStat(stat), mark: markIn(environ) }
  } catch {
    // It ended while we looked.
    return undefined
  }
}

/** The fields after the program's name, which stands in brackets and may hold anything. */
function parseStat(stat: string): ProcessEntry {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0] ?? ''
  return {
    pid: Number.parseInt(stat, 10),
    group: Number(fields[2]),
    startTicks: Number(fields[19]),
    zombie: state === 'Z' || state === 'X',
    mark: undefined,
  }
}

function markIn(environ: string): string | undefined {
  const prefix = `${markVariable}=`
  const pair = environ.split('\0').find((one) => one.startsWith(prefix))
  return pair?.slice(prefix.length)
}

/** Reads the lines of `ps -o pid=,pgid=,stat=,lstart=`; a date has blanks and stands last. */
export function parsePs(text: string): ProcessEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+)$/.exec(line)
    if (!match) return []
    const startTicks = Date.parse(match[4] ?? '') / 1000
    const zombie = match[3]?.startsWith('Z') ?? false
    return [{ pid: Number(match[1]), group: Number(match[2]), startTicks, zombie, mark: undefined }]
  })
}
