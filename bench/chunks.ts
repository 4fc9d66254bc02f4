import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Claim } from './lab/claim.ts'
import type { Lab } from './lab/lab.ts'
import { runProgram } from './lab/processes.ts'
import { median, tableLines } from './lab/table.ts'

const rounds = 3
const fileBytes = 2 ** 30
const command = fileURLToPath(new URL('../../packages/drover/bin/drover.js', import.meta.url))

/** One way to cut: what split is told, what ours is told, and the most that ours may take of its time. */
interface Pair {
  readonly title: string
  readonly split: readonly string[]
  readonly ours: readonly string[]
  readonly goal: number
}

const pairs: readonly Pair[] = [
  {
    title: 'lines 100000, files',
    split: ['-l', '100000'],
    ours: ['--by', 'lines 100000', '--no-sums'],
    goal: 1.2,
  },
  {
    title: 'lines 100000, files and sums',
    split: ['-l', '100000'],
    ours: ['--by', 'lines 100000'],
    goal: 1.2,
  },
  {
    title: 'bytes 1MiB, files',
    split: ['-a', '4', '-b', '1M'],
    ours: ['--by', 'bytes 1MiB', '--no-sums'],
    goal: 1.2,
  },
  {
    title: 'bytes 1MiB, files and sums',
    split: ['-a', '4', '-b', '1M'],
    ours: ['--by', 'bytes 1MiB'],
    goal: 1.2,
  },
]

const smallBytes = 4 * 2 ** 20
const smallPair: Pair = {
  title: 'lines 1 of 4 MiB, pack against a file each',
  split: ['-a', '6', '-l', '1'],
  ours: ['--by', 'lines 1', '--as', 'pack'],
  goal: 0.2,
}

/** Wall time of cutting a file on this machine, against GNU split. */
export const chunks: Claim = {
  name: 'chunks',
  about: 'time to cut a file by lines and bytes, against GNU split',
  async run(lab) {
    const large = makeLines(lab, 'large', fileBytes)
    const small = makeLines(lab, 'small', smallBytes)
    const rows: string[][] = []
    for (const pair of pairs) rows.push(await compare(lab, pair, large))
    rows.push(await compare(lab, smallPair, small))

    lab.print(`a file of ${fileBytes / 2 ** 20} MiB in the page cache, lines of 70 bytes;`)
    lab.print(`wall time with the program's start, median of ${rounds} runs in turns`)
    lab.print()
    const header = ['cut', 'split', 'drover', 'ratio', 'goal']
    for (const line of tableLines([header, ...rows])) lab.print(line)
    lab.print()
    lab.print('split works out no sums: the rows without sums do the same work as split does.')
  },
}

function makeLines(lab: Lab, name: string, bytes: number): string {
  const path = join(lab.directory, name)
  const line = `${'chunk by chunk '.repeat(4)}123456789`
  writeFileSync(path, Buffer.alloc(bytes, `${line}\n`))
  return path
}

async function compare(lab: Lab, pair: Pair, file: string): Promise<string[]> {
  const { title, split, ours, goal } = pair
  const times = { split: [] as number[], ours: [] as number[] }
  for (let round = 1; round <= rounds; round++) {
    lab.progress(`${title}: round ${round} of ${rounds}`)
    times.split.push(
      await time(lab, (target) => {
        mkdirSync(target)
        return ['split', ...split, file, join(target, 'x')]
      }),
    )
    times.ours.push(
      await time(lab, (target) => [
        process.execPath,
        command,
        'chunk',
        file,
        ...ours,
        '-o',
        target,
      ]),
    )
  }
  const [theirs, own] = [median(times.split), median(times.ours)]
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`
  return [title, seconds(theirs), seconds(own), (own / theirs).toFixed(2), `≤ ${goal}`]
}

/** Runs a program that writes to a target of its own; returns how long it took, in ms. */
async function time(lab: Lab, wordsFor: (target: string) => readonly string[]): Promise<number> {
  const target = join(lab.directory, 'target')
  const [program = '', ...args] = wordsFor(target)
  const startMs = performance.now()
  await runProgram(lab, { command: program, args })
  const tookMs = performance.now() - startMs
  rmSync(target, { recursive: true, force: true })
  return tookMs
}
