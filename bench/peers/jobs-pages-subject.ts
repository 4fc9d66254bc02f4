import { readdirSync, readFileSync } from 'node:fs'
import { cpuTimeOf } from '../lab/process-usage.ts'
import { startJobsInOne } from './jobs-drover.ts'

/**
 * `jobs-pages-subject.js FOLDER SITE TYPE PAGES`: fetches and reads pages of one type through the
 * whole service; prints pages a second, CPU time of all processes per page, and that of the busiest
 * thread beside the main one, in µs.
 */
const [folder = '', site = '', typeText = '2', pagesText = '1000'] = process.argv.slice(2)
const [type, pages] = [Number(typeText) as 1 | 2 | 3, Number(pagesText)]
const warmUp = Math.ceil(pages / 5)

const jobs = await startJobsInOne(folder, {
  pipeline: { workerConcurrency: 64, window: 500 },
  fetching: { allow: ['127.0.0.1'], robots: true, hostDelayMs: 0, hostConcurrency: 64 },
})

/** CPU time of each thread of this process, in µs. */
function threadTimes(): Map<string, number> {
  return new Map(
    readdirSync('/proc/self/task').map((task) => {
      const text = readFileSync(`/proc/self/task/${task}/stat`, 'utf8')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      return [task, (Number(fields[11]) + Number(fields[12])) * 10_000]
    }),
  )
}

async function fetchPages(first: number, count: number, before: number): Promise<void> {
  let next = first
  const call = async () => {
    while (next < first + count) await jobs.submit({ url: `${site}/article-${next++}`, type })
  }
  await Promise.all(Array.from({ length: 64 }, call))
  for (;;) {
    const { done = 0, dead = 0 } = await jobs.counts()
    if (dead > 0) throw new Error(`${dead} pages could not be fetched`)
    if (done >= before + count) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const cpuOf = () => {
  const { user, system } = cpuTimeOf(process.pid)
  return user + system
}
await fetchPages(0, warmUp, 0)
const [startedMs, cpuBefore, threadsBefore] = [performance.now(), cpuOf(), threadTimes()]
await fetchPages(warmUp, pages, warmUp)
const perSecond = (pages * 1_000) / (performance.now() - startedMs)
const cpuUs = ((cpuOf() - cpuBefore) * 1e6) / pages
const threads = [...threadTimes()].flatMap(([task, us]) =>
  task === `${process.pid}` ? [] : [us - (threadsBefore.get(task) ?? 0)],
)
process.stdout.write(JSON.stringify({ perSecond, cpuUs, threadUs: Math.max(...threads) / pages }))
await jobs.stop()
process.exit(0)
