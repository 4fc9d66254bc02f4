// Cuts one file in a process of its own, so that no other's code or garbage sways the figures.
// Usage: chunks-subject.js <subject> <file> <rounds>; prints one line of JSON.
import { closeSync, createWriteStream, openSync, readSync, writevSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import {
  chunkLocally,
  cutFile,
  openSource,
  parseInput,
  parseLetters,
  parseWay,
  planSource,
  readSegments,
  WordScatter,
} from '@drover/chunks'
import { systemClock } from '@drover/kernel'
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters'
import ZipStream from 'zip-stream'

const run = { clock: systemClock, chunksMax: 100_000_000, advance: () => {} }

/** Every subject cuts the file at `path` once and returns how many pieces there were. */
const subjects: Record<string, (path: string) => Promise<number>> = {
  cdc: (path) => cutWith('cdc', path, () => {}),
  sentences: (path) => cutTexts('sentences 1000/200', path),
  markdown: (path) => cutTexts('markdown 1000/200', path),
  tokens: (path) => cutTexts('tokens 250/50', path),
  langchain,
  letters,
  'zip 1000': (path) => zip('bytes 1000', path),
  'zip 1000000': (path) => zip('bytes 1000000', path),
  'floor 1000000': (path) => floor(1_000_000, path),
  'zip-stream 1000': (path) => zipStream(1_000, path),
  'zip-stream 1000000': (path) => zipStream(1_000_000, path),
}

async function cutWith(
  by: string,
  path: string,
  use: (bytes: Buffer, start: number, end: number) => void,
): Promise<number> {
  const source = await openSource(path)
  let count = 0
  for await (const { pieces, segment } of cutFile(
    source,
    await planSource(source, parseWay(by)),
    run,
  )) {
    count += pieces.count
    for (let index = 0; segment && index < pieces.count; index++) {
      const start = Math.max(0, (pieces.starts[index] as number) - segment.at)
      use(segment.bytes, start, (pieces.ends[index] as number) - segment.at)
    }
  }
  await source.close()
  return count
}

/** The peer makes strings, so ours are made too; a few that lie across two segments are shorter. */
async function cutTexts(by: string, path: string): Promise<number> {
  let letters = 0
  const count = await cutWith(by, path, (bytes, start, end) => {
    letters += bytes.toString('utf8', start, end).length
  })
  if (letters === 0) throw new Error('there was no text')
  return count
}

async function langchain(path: string): Promise<number> {
  const splitter = new RecursiveCharacterTextSplitter({ chunkSize: 1_000, chunkOverlap: 200 })
  return (await splitter.splitText(await readFile(path, 'utf8'))).length
}

async function letters(path: string): Promise<number> {
  const source = await openSource(path)
  const scatter = new WordScatter(parseLetters('a-c,d-z'), { append: () => {} })
  for await (const { bytes } of readSegments(source)) scatter.push(bytes)
  await source.close()
  return scatter.end().reduce((sum, { words }) => sum + words, 0)
}

async function zip(by: string, path: string): Promise<number> {
  const target = `${path}.zip`
  const order = { file: path, way: parseWay(by), input: parseInput(), output: 'zip' } as const
  const { pieces } = await chunkLocally({ ...order, target, name: 'file', sums: true }, run)
  await rm(target)
  return pieces
}

/** What every writer of a stored zip must do, and nothing else: the file is read, summed up, written. */
async function floor(pieceBytes: number, path: string): Promise<number> {
  const [source, target] = [openSync(path, 'r'), openSync(`${path}.floor`, 'w')]
  const block = Buffer.allocUnsafeSlow(pieceBytes)
  const head = Buffer.alloc(46)
  let count = 0
  for (let bytes = readSync(source, block); bytes > 0; bytes = readSync(source, block)) {
    head.writeUInt32LE(crc32(block.subarray(0, bytes)), 14)
    writevSync(target, [head, block.subarray(0, bytes)])
    count++
  }
  for (const file of [source, target]) closeSync(file)
  await rm(`${path}.floor`)
  return count
}

async function zipStream(pieceBytes: number, path: string): Promise<number> {
  const target = `${path}.peer.zip`
  const bytes = await readFile(path)
  const archive = new ZipStream({ store: true })
  const written = pipeline(archive, createWriteStream(target))
  let count = 0
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes)
    await new Promise<void>((resolve, reject) => {
      archive.entry(piece, { name: `file.${count++}` }, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  }
  archive.finish()
  await written
  await rm(target)
  return count
}

const [name = '', path = '', rounds = '3'] = process.argv.slice(2)
const subject = subjects[name]
if (!subject) throw new Error(`there is no subject "${name}"`)
let pieces = await subject(path)
const [wallMs, cpuMs]: [number[], number[]] = [[], []]
for (let round = 0; round < Number(rounds); round++) {
  const [startMs, before] = [performance.now(), process.cpuUsage()]
  pieces = await subject(path)
  const { user, system } = process.cpuUsage(before)
  wallMs.push(performance.now() - startMs)
  cpuMs.push((user + system) / 1_000)
}
const mostBytes = process.resourceUsage().maxRSS * 1_024
process.stdout.write(`${JSON.stringify({ pieces, wallMs, cpuMs, mostBytes })}\n`)
