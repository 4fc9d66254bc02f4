import { Histogram } from '../lab/histogram.ts'
import { startEmptyJobs } from './jobs-empty.ts'

/**
 * `jobs-idle-subject.js FOLDER JOBS`: submits one job at a time over HTTP to an idle service; prints
 * the times from the request to the worker's start as JSON.
 */
const [folder = '', jobsText = '300'] = process.argv.slice(2)
const pauseMs = 15

let begun = Promise.withResolvers<number>()
const jobs = await startEmptyJobs(folder, 32, () => begun.resolve(performance.now()))
const headers = { authorization: `Bearer ${jobs.token}`, 'content-type': 'application/json' }
const [accepted, started] = [new Histogram(), new Histogram()]
const warmUp = 30
for (let number = -warmUp; number < Number(jobsText); number++) {
  begun = Promise.withResolvers()
  const body = JSON.stringify({ url: 'http://site.example/', type: (Math.abs(number) % 3) + 1 })
  const sentMs = performance.now()
  const answer = await fetch(`${jobs.url}/v1/jobs`, { method: 'POST', headers, body })
  if (answer.status !== 202) throw new Error(`answered ${answer.status}`)
  const acceptedMs = performance.now()
  const beganMs = await begun.promise
  if (number >= 0) {
    accepted.add(acceptedMs - sentMs)
    started.add(beganMs - sentMs)
  }
  await new Promise((resolve) => setTimeout(resolve, pauseMs))
}
const figures = [50, 90, 99].map((percent) => started.percentile(percent))
process.stdout.write(JSON.stringify({ accepted: accepted.percentile(50), started: figures }))
await jobs.stop()
process.exit(0)
