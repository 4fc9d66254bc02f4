import { Command } from 'commander'
import { say } from '../../terminal.ts'

/** `drover queue repair`: says what is spoilt and puts it aside, so that the queue starts again. */
export function queueRepairCommand(): Command {
  return new Command('repair')
    .description(
      'Takes spoilt bytes out of the files of a queue that does not run; keeps them beside.',
    )
    .option('--data <folder>', 'where everything is kept', '.drover/queue')
    .action(async ({ data }: { data: string }) => {
      const { repairQueue } = await import('@drover/queue')
      const repairs = await repairQueue(data)
      for (const { folder, path, position, bytes, offsets, aside } of repairs) {
        const lost = offsets ? `offsets ${offsets[0]} to ${offsets[1] - 1}` : 'what follows'
        say(`${folder}/${path}: ${bytes} bytes at ${position} are spoilt; ${lost} went with them`)
        say(`  they are in ${folder}/${aside}`)
      }
      say(repairs.length === 0 ? 'all is sound' : `${repairs.length} repaired`)
    })
}
