import { joinChunks } from '@drover/chunks'
import { systemClock } from '@drover/kernel'
import { Command } from 'commander'
import { say } from '../../terminal.ts'
import { createBar } from '../bar.ts'
import { untilInterrupted } from '../interrupted.ts'

interface JoinOptions {
  readonly out: string
}

/** `drover join`: restores a file from its chunks. */
export function joinCommand(): Command {
  return new Command('join')
    .summary('Restores a file from its chunks.')
    .description('Restores a file from its chunks, and checks every sum.')
    .argument('<chunks>', 'their folder, manifest, zip, tar, pack or NDJSON')
    .requiredOption('-o, --out <file>', 'the file to write')
    .action(async (chunks: string, { out }: JoinOptions) => {
      const bar = createBar('join', process.stderr, systemClock)
      const { bytes, pieces } = await untilInterrupted((signal) =>
        joinChunks(chunks, out, (done, all) => bar.show(done, all), signal),
      ).finally(() => bar.clear())
      say(`${out}: ${bytes} bytes of ${pieces} chunks, every sum is right`)
    })
}
