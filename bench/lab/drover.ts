import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Lab } from './lab.ts'
import { type Program, runProgram, type Started, startProgram, waitForPort } from './processes.ts'

const command = fileURLToPath(new URL('../../../packages/drover/bin/drover.js', import.meta.url))

/** Returns the program that runs the compiled `peers/<name>.js` as a replica, as words. */
export function replicaWords(name: string): string[] {
  return [process.execPath, fileURLToPath(new URL(`../peers/${name}.js`, import.meta.url))]
}

/** Starts `drover` in the foreground with these words, and waits until `port` is open. */
export async function startDrover(
  lab: Lab,
  port: number,
  words: readonly string[],
): Promise<Started> {
  const started = await startProgram(lab, droverProgram(words))
  await waitForPort(port, started)
  return started
}

/** Starts `drover up` with `config`, to which a data folder is added. */
export function startConfigured(lab: Lab, port: number, config: object): Promise<Started> {
  const file = join(lab.directory, 'drover.yaml')
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ data: dataFolder(lab), ...config }))
  return startDrover(lab, port, ['up', '--config', file])
}

/** Runs a command like `drover restart web` to its end. */
export function runDrover(lab: Lab, words: readonly string[]): Promise<string> {
  return runProgram(lab, droverProgram(words))
}

/** Where a started drover keeps its files, away from the user's own. */
export function dataFolder(lab: Lab): string {
  return join(lab.directory, 'data')
}

function droverProgram(words: readonly string[]): Program {
  return { command: process.execPath, args: [command, ...words] }
}
