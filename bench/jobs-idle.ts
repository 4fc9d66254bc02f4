import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim } from './lab/claim.ts'
import { nodeProgram, runProgram } from './lab/processes.ts'

const jobs = 400

/** How soon a worker begins a job that is submitted while nothing else goes on. */
export const jobsIdle: Claim = {
  name: 'jobs-idle',
  about: 'time from a submission over HTTP to the start of its worker, when idle',
  async run(lab) {
    const folder = join(lab.directory, 'idle')
    mkdirSync(folder)
    const words = [folder, `${jobs}`]
    const output = await runProgram(lab, nodeProgram('peers/jobs-idle-subject.js', words))
    const { accepted, started } = JSON.parse(output) as { accepted: number; started: number[] }
    const [p50, p90, p99] = started.map((ms) => ms.toFixed(1))
    lab.print(`${jobs} jobs, one after the other; queue and store sync each step to disk`)
    lab.print(`accepted after ${accepted.toFixed(1)} ms (median)`)
    lab.print(`begun after ${p50} ms (median), ${p90} ms (p90), ${p99} ms (p99)`)
    lab.print('goal: p99 at most 20 ms')
  },
}
