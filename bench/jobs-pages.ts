import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim } from './lab/claim.ts'
import { freePorts } from './lab/ports.ts'
import { nodeProgram, runProgram, startProgram, waitForPort } from './lab/processes.ts'
import { tableLines } from './lab/table.ts'

interface Figures {
  readonly perSecond: number
  readonly cpuUs: number
  readonly threadUs: number
}

const kinds = [
  { type: 2, title: 'type 2, HTML', pages: 1_500 },
  { type: 3, title: 'type 3, domains', pages: 1_500 },
  { type: 1, title: 'type 1, text, one thread', pages: 300 },
] as const

/** Pages that the whole service fetches, reads and stores: per second, and per second of CPU time. */
export const jobsPages: Claim = {
  name: 'jobs-pages',
  about: 'pages a second and core that are fetched, read and stored, by type',
  async run(lab) {
    const [port = 0] = await freePorts(1)
    const site = await startProgram(lab, nodeProgram('peers/page-site.js', [`${port}`]))
    await waitForPort(port, site)
    const rows: string[][] = []
    for (const { type, title, pages } of kinds) {
      lab.progress(title)
      const folder = join(lab.directory, `pages-${type}`)
      mkdirSync(folder)
      const words = [folder, `http://127.0.0.1:${port}`, `${type}`, `${pages}`]
      const output = await runProgram(lab, nodeProgram('peers/jobs-pages-subject.js', words))
      rows.push(rowOf(title, type, JSON.parse(output) as Figures))
    }
    lab.print(
      'articles of 40 KiB with 120 links from a local site, every page another; queue, store,',
    )
    lab.print('publisher and worker count, too')
    lab.print()
    const header = ['pages', 'a second', 'CPU µs each', 'a second and core', 'of its thread']
    for (const line of tableLines([header, ...rows])) lab.print(line)
    lab.print()
    lab.print('goal: types 2 and 3 at least 400 a second and core, type 1 at least 60 of a thread')
  },
}

function rowOf(title: string, type: number, { perSecond, cpuUs, threadUs }: Figures): string[] {
  const perThread = type === 1 ? (1e6 / threadUs).toFixed(0) : ''
  return [title, perSecond.toFixed(0), cpuUs.toFixed(0), (1e6 / cpuUs).toFixed(0), perThread]
}
