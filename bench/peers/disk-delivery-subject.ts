import { closeSync, fdatasync, fsyncSync, openSync, writeSync, writev } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Histogram } from '../lab/histogram.ts'
import { sendSteadily } from '../lab/steady-load.ts'

/**
 * What the disk alone takes for the same stream: `FOLDER RATE SECONDS`. All that came while one write
 * and fdatasync was under way goes into the next; no network, no reader. The file is there before.
 */
const [folder = '', rateText = '5000', secondsText = '5'] = process.argv.slice(2)
const rate = Number(rateText)
const count = rate * Number(secondsText)
const fileBytes = 33_554_432
/** A message of 256 bytes in its batch. */
const message = Buffer.alloc(300, 'x')

const write = promisify(writev)
const sync = promisify(fdatasync)
const file = openSync(join(folder, 'floor'), 'w')
const zeros = Buffer.alloc(1_048_576)
for (let at = 0; at < fileBytes; at += zeros.length) writeSync(file, zeros, 0, zeros.length, at)
fsyncSync(file)

const histogram = new Histogram()
const waiting: number[] = []
let position = 0
let committing: Promise<void> | undefined

async function commit(): Promise<void> {
  while (waiting.length > 0) {
    const group = waiting.splice(0)
    const bytes = group.length * message.length
    if (position + bytes > fileBytes) position = 0
    await write(file, Array(group.length).fill(message), position)
    await sync(file)
    position += bytes
    for (const dueMs of group) histogram.add(performance.now() - dueMs)
  }
  committing = undefined
}

await sendSteadily(rate, count, (dueMs) => {
  waiting.push(dueMs)
  committing ??= Promise.resolve().then(commit)
})
await committing
closeSync(file)
const times = [histogram.percentile(50), histogram.percentile(99), histogram.mostMs]
process.stdout.write(JSON.stringify(times))
process.exit(0)
