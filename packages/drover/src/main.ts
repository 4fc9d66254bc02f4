import { CommanderError } from 'commander'
import { addressFault } from './address-fault.ts'
import { exitCodeOf, messageOf } from './commands/exit-codes.ts'
import { createProgram } from './commands/program.ts'
import { endWithParent } from './commands/stopping.ts'
import { warn } from './terminal.ts'

/** Runs the command line `words` (without node and the script) and sets the exit code. */
export async function main(words: readonly string[]): Promise<void> {
  // Whoever reads our output may go away; that is no reason to stop what runs.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  endWithParent()
  // Clocks and signal handlers do not hold a process: one that waits for nothing else would just end.
  const held = setInterval(() => {}, 2 ** 30)
  try {
    const program = await createProgram(words)
    await program.parseAsync([...words], { from: 'user' })
  } catch (thrown) {
    const error = addressFault(thrown)
    // Commander has said what was wrong already.
    if (!(error instanceof CommanderError)) warn(`drover: ${messageOf(error)}`)
    process.exitCode = exitCodeOf(error)
  } finally {
    clearInterval(held)
    // Who started this process may still be there, at the other end of a channel.
    process.channel?.unref()
  }
}
