import { basename, resolve } from 'node:path'
import {
  chunkLocally,
  chunksMaxDefault,
  type LocalOrder,
  outputs,
  packings,
  parseInput,
  parseWay,
  resultName,
  type WayOptions,
  wayNames,
} from '@drover/chunks'
import { systemClock } from '@drover/kernel'
import { Command } from 'commander'
import { fault } from '../../errors.ts'
import { say } from '../../terminal.ts'
import { createBar } from '../bar.ts'
import { untilInterrupted } from '../interrupted.ts'
import { wholeNumber } from '../numbers.ts'

const examples = `Ways, each with its value:
  letters a-c,d-z        words by their first letter; of a word list, each as often as it counts
  bytes 64MiB            pieces of equal size; --lines-whole cuts at line ends (split -b, -C)
  parts 8                so many pieces; --lines-whole, or --dealt line by line (split -n)
  lines 100000           --header repeats the first line in each (split -l)
  delimiter ";"          regex "/^#/m"; --keep end, start or drop
  cdc 8KiB/16KiB/64KiB   by content: the same bytes give the same pieces (FastCDC 2020)
  tokens 512/64          sentences 1000/200, markdown 1000/200: size and overlap
  records 1000           CSV, NDJSON or a JSON array, never cut inside a record

Examples:
  drover chunk big.log --by lines 100000
  drover chunk book.txt --by letters a-c,d-z --as zip
  drover chunk dump.csv.gz --input gzip --by records 5000 --header
  drover join big.log.chunks -o big.log
  drover chunk book.txt --by letters a-z --storm 50     while drover chunks serve runs`

interface ChunkOptions extends WayOptions {
  readonly by?: string
  readonly as: string
  readonly out?: string
  readonly input: string
  readonly encoding: string
  readonly chunksMax: number
  readonly name?: string
  readonly sums: boolean
  readonly storm?: number
  readonly url: string
  readonly gap: number
}

/** `drover chunk`: cuts one file on this machine, without a server. */
export function chunkCommand(): Command {
  return new Command('chunk')
    .summary('Cuts a file into chunks.')
    .description('Cuts a file into chunks: by letters, size, lines, content, tokens, records.')
    .argument('<file>', 'what to cut')
    .argument('[value]', 'the value of --by, where it is a word of its own')
    .option('--by <way>', `${wayNames.join(', ')}; with its value`)
    .option('--as <output>', `files, ${outputs.join(', ')}`, 'files')
    .option('-o, --out <path>', 'the folder of the files, or the file to write')
    .option('--name <name>', "what chunks are called after (default: the file's name)")
    .optionsGroup('How it is cut:')
    .option('--lines-whole', 'bytes, parts: cut at line ends')
    .option('--dealt', 'parts: deal lines out in turn')
    .option('--header', 'lines, records: repeat the first one in each chunk')
    .option('--separator <byte>', 'what ends a line (default: a newline; \\0 for a zero byte)')
    .option('--keep <where>', 'delimiter, regex: end, start or drop (default: end)')
    .option('--format <format>', 'records: csv, ndjson, json or auto (default: auto)')
    .option('--comma <byte>', 'records: what divides the fields of CSV (default: ,)')
    .option('--level <number>', 'cdc: normalisation, 0 to 3 (default: 2)')
    .option('--seed <number>', 'letters: the order of a word list; cdc: other cuts (default: 0)')
    .option('--list <yes|no|auto>', 'letters: whether it is a word list (default: auto)')
    .optionsGroup('What goes in:')
    .option('--input <packing>', packings.join(', '), 'plain')
    .option('--encoding <name>', 'of the text; the chunks are UTF-8', 'utf-8')
    .optionsGroup('Limits:')
    .option(
      '--chunks-max <number>',
      'more chunks are refused',
      wholeNumber('--chunks-max', 1, 1_000_000_000),
      chunksMaxDefault,
    )
    .option('--no-sums', 'files: no checksums and no manifest; drover join needs both')
    .optionsGroup('A storm of requests to a running service, instead:')
    .option('--storm <number>', 'send the file so often', wholeNumber('--storm', 1, 10_000))
    .option('--url <url>', 'storm: the service', 'http://127.0.0.1:8090')
    .option(
      '--gap <ms>',
      'storm: the longest wait between two',
      wholeNumber('--gap', 0, 60_000),
      200,
    )
    .addHelpText('after', `\n${examples}`)
    .action((file: string, value: string | undefined, options: ChunkOptions) =>
      chunk(file, value, options),
    )
}

async function chunk(file: string, value: string | undefined, options: ChunkOptions) {
  const { by, chunksMax, storm: requests, url, gap } = options
  if (by === undefined)
    throw fault('USAGE', `--by is missing: say how to cut, one of ${wayNames.join(', ')}`)
  const way = value === undefined ? by : `${by} ${value}`
  if (requests !== undefined) {
    parseWay(way, options)
    const { sendStorm } = await import('./chunks.ts')
    return sendStorm([file], { url, requests, by: way, gap })
  }
  const order = orderOf(file, way, options)
  const bar = createBar('chunk', process.stderr, systemClock)
  const { pieces, bytes } = await untilInterrupted((signal) =>
    chunkLocally(order, {
      clock: systemClock,
      chunksMax,
      signal,
      advance: (done, all) => bar.show(done, all),
    }),
  ).finally(() => bar.clear())
  say(`${pieces} ${pieces === 1 ? 'chunk' : 'chunks'} of ${bytes} bytes in ${order.target}`)
}

function orderOf(file: string, way: string, options: ChunkOptions): LocalOrder {
  const { as, out, input, encoding, sums, name = nameOf(file, input) } = options
  const output = [...outputs, 'files' as const].find((known) => known === as)
  if (output === undefined)
    throw fault('USAGE', `--as ${as}: expected files, ${outputs.join(', ')}`)
  if (!sums && output !== 'files') throw fault('USAGE', '--no-sums is for --as files only')
  const usual = output === 'files' ? `${name}.chunks` : resultName(name, output)
  return {
    file,
    way: parseWay(way, options),
    input: parseInput(input, encoding),
    output,
    target: out ?? usual,
    name,
    sums,
  }
}

/** What chunks are called after: the file, without the ending of what it was packed by. */
function nameOf(file: string, packing: string): string {
  const name = basename(resolve(file))
  return packing === 'plain' ? name : name.replace(/(?<=.)\.(gz|gzip|zst|zstd)$/i, '')
}
