import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Claim } from './lab/claim.ts'
import type { Lab } from './lab/lab.ts'
import { nodeProgram, runProgram } from './lab/processes.ts'
import { tableLines } from './lab/table.ts'

const rounds = 5
const mebibyte = 2 ** 20
const book = fileURLToPath(new URL('../../examples/texts/opticks.txt', import.meta.url))

/** What a subject told of itself. */
interface Figures {
  readonly pieces: number
  readonly wallMs: readonly number[]
  readonly cpuMs: readonly number[]
  readonly mostBytes: number
}

/** One subject on one file, and what it is held to. */
interface Row {
  readonly title: string
  readonly subject: string
  readonly file: File
  readonly goal?: string
  /** The row whose speed this one is divided by. */
  readonly peer?: string
}

interface File {
  readonly path: string
  readonly bytes: number
}

/** What one core cuts in a second of CPU time: content, letters, text, archives. */
export const chunksCores: Claim = {
  name: 'chunks-cores',
  about: 'bytes that one core cuts a second: content, letters, text, zip',
  async run(lab) {
    const [text, long] = [copies(lab, 'text', 64 * mebibyte), copies(lab, 'long', 512 * mebibyte)]
    const [small, large] = [copies(lab, 'small', 20_000_000), copies(lab, 'large', 256_000_000)]
    const rows: readonly Row[] = [
      { title: 'cdc 8/16/64 KiB', subject: 'cdc', file: long, goal: '≥ 1,500 MB/s' },
      { title: 'letters a-c,d-z', subject: 'letters', file: text, goal: '≥ 150 MB/s' },
      { title: 'langchain recursive 1000/200', subject: 'langchain', file: text },
      ...['sentences', 'markdown'].map((subject) => ({
        ...{ title: `${subject} 1000/200`, subject, file: text, goal: '≥ 5 ×' },
        peer: 'langchain recursive 1000/200',
      })),
      { title: 'sentences, a file 8 × as long', subject: 'sentences', file: long },
      { title: 'tokens 250/50', subject: 'tokens', file: text },
      { title: 'zip-stream, 20,000 × 1 KB', subject: 'zip-stream 1000', file: small },
      {
        ...{ title: 'zip, 20,000 × 1 KB', subject: 'zip 1000', file: small, goal: '≥ 3 ×' },
        peer: 'zip-stream, 20,000 × 1 KB',
      },
      { title: 'zip-stream, 256 × 1 MB', subject: 'zip-stream 1000000', file: large },
      {
        ...{ title: 'read, CRC-32, write; no sums', subject: 'floor 1000000', file: large },
        peer: 'zip-stream, 256 × 1 MB',
      },
      {
        ...{ title: 'zip, 256 × 1 MB', subject: 'zip 1000000', file: large, goal: '≥ 3 ×' },
        peer: 'zip-stream, 256 × 1 MB',
      },
    ]
    const seen = new Map<string, Figures & { readonly bytes: number }>()
    for (const { title, subject, file } of rows)
      seen.set(title, { ...(await measure(lab, subject, file)), bytes: file.bytes })

    lab.print(`real text from the page cache; the best of ${rounds} rounds of a warm process,`)
    lab.print('MB of input for each second of CPU time, of all its threads together')
    lab.print()
    const speed = (title: string, key: 'cpuMs' | 'wallMs') => {
      const figures = seen.get(title)
      return figures ? figures.bytes / 1_000 / Math.min(...figures[key]) : Number.NaN
    }
    const cells = rows.map(({ title, goal = '', peer }) => {
      const { pieces = 0, mostBytes = 0 } = seen.get(title) ?? {}
      const ratio = (key: 'cpuMs' | 'wallMs') =>
        peer === undefined ? '' : `${(speed(title, key) / speed(peer, key)).toFixed(1)} ×`
      const memory = `${(mostBytes / mebibyte).toFixed(0)} MiB`
      const speeds = [speed(title, 'cpuMs').toFixed(0), speed(title, 'wallMs').toFixed(0)]
      return [title, `${pieces}`, ...speeds, memory, ratio('cpuMs'), ratio('wallMs'), goal]
    })
    const header = ['', 'pieces', 'MB/CPU s', 'MB/s', 'memory', 'CPU, peer', 'wall, peer', 'goal']
    for (const line of tableLines([header, ...cells])) lab.print(line)
    lab.print()
    lab.print(
      'cdc finds the cuts, without sums; text is made into strings by both. A zip of ours has',
    )
    lab.print(
      'SHA-256 of each chunk and of the file in a manifest; zip-stream works out CRC-32 only.',
    )
    lab.print('No zip of large chunks can take less than the row without sums.')
  },
}

function copies(lab: Lab, name: string, bytes: number): File {
  const path = join(lab.directory, name)
  writeFileSync(path, Buffer.alloc(bytes, readFileSync(book)))
  return { path, bytes }
}

async function measure(lab: Lab, subject: string, { path }: File): Promise<Figures> {
  lab.progress(subject)
  const words = [subject, path, String(rounds)]
  return JSON.parse(await runProgram(lab, nodeProgram('peers/chunks-subject.js', words))) as Figures
}
