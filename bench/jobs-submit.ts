import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Claim } from './lab/claim.ts'
import { dataFolder } from './lab/drover.ts'
import type { Lab } from './lab/lab.ts'
import { freePorts } from './lab/ports.ts'
import { cpuTimeBetween, cpuTimeOf } from './lab/process-usage.ts'
import { startProgram, waitForPort } from './lab/processes.ts'
import { tableLines } from './lab/table.ts'
import { until } from './lab/until.ts'
import { type LoadPlan, runLoad } from './load.ts'

const command = fileURLToPath(new URL('../../packages/drover/bin/drover.js', import.meta.url))
const seconds = 6
const connections = 192

/** Accepted submissions a second, each on disk before its answer, through the door and 3 replicas. */
export const jobsSubmit: Claim = {
  name: 'jobs-submit',
  about: 'durable job submissions a second through the front door and three replicas',
  async run(lab) {
    const rows = [
      await measure(lab, 'accepted, waiting in the queue', []),
      await measure(lab, 'accepted, and recorded meanwhile', ['recorder', 'publisher']),
    ]
    lab.print(
      `door, three API replicas and the queue on two cores; ${connections} connections, one`,
    )
    lab.print('job a request; CPU time is of all processes of ours')
    lab.print()
    const header = [
      'submissions',
      'a second',
      'p99 ms',
      'CPU µs each',
      '2 idle cores',
      'not accepted',
    ]
    for (const line of tableLines([header, ...rows])) lab.print(line)
    lab.print()
    lab.print('goal: at least 5,000 a second on two cores')
  },
}

async function measure(lab: Lab, title: string, steps: readonly string[]): Promise<string[]> {
  lab.progress(title)
  const [port = 0, tcp = 0] = await freePorts(2)
  const folder = join(dataFolder(lab), `${port}`)
  const config = join(lab.directory, `${port}.yaml`)
  writeFileSync(config, JSON.stringify(configOf(folder, port, tcp, steps)))
  const words = [process.execPath, command, 'up', '--config', config]
  const cores = lab.measuredCore === undefined ? [] : ['taskset', '-c', '2,3']
  const [program = '', ...args] = [...cores, ...words]
  const drover = await startProgram(lab, { command: program, args })
  await waitForPort(port, drover)
  const url = `http://127.0.0.1:${port}`
  const headers = await logIn(url)
  const plan: LoadPlan = {
    ...{ url: `${url}/v1/jobs`, connections, method: 'POST', headers },
    body: '{"url":"http://site.example/","type":2}',
  }
  await runLoad({ ...plan, durationMs: 2_000 })
  const before = cpuTimeOf(drover.pid)
  const { answered, byStatus, latencies, elapsedMs } = await runLoad({
    ...{ ...plan, durationMs: seconds * 1_000 },
  })
  const { user, system } = cpuTimeBetween(before, cpuTimeOf(drover.pid))
  const cpuUs = ((user + system) * 1e6) / answered
  await drover.stop()
  const accepted = byStatus[202] ?? 0
  return [
    title,
    Math.round((accepted * 1_000) / elapsedMs).toLocaleString('en'),
    latencies.percentile(99).toFixed(0),
    cpuUs.toFixed(0),
    Math.round(2e6 / cpuUs).toLocaleString('en'),
    `${answered - accepted}`,
  ]
}

function configOf(folder: string, port: number, tcp: number, steps: readonly string[]) {
  const serve = `${process.execPath} ${command}`
  const places = `--queue 127.0.0.1:${tcp} --store ${folder}/jobs.sqlite`
  const listen = '--listen 127.0.0.1:{port}'
  const health = { path: '/v1/health' }
  return {
    data: `${folder}/drover`,
    admin: { address: '127.0.0.1:0' },
    services: {
      queue: {
        command: `${serve} queue serve ${listen} --tcp 127.0.0.1:${tcp} --brokers 1 --data ${folder}/queue`,
        replicas: 1,
      },
      api: {
        command: `${serve} jobs serve --parts api ${listen} --replica-id {id} ${places}`,
        replicas: 3,
        health,
      },
      ...(steps.length === 0
        ? {}
        : {
            steps: {
              command: `${serve} jobs serve --parts ${steps.join(' ')} ${listen} ${places}`,
              replicas: 1,
              health,
            },
          }),
    },
    listeners: [{ address: `127.0.0.1:${port}`, service: 'api' }],
  }
}

/** Makes an account as soon as a replica answers; returns the headers of its requests. */
async function logIn(url: string): Promise<Record<string, string>> {
  const who = { email: 'bench@example.org', password: 'secret' }
  const post = (path: string, body: object) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await until('an account is made', async () =>
    [200, 400].includes((await post('/users/', who)).status),
  )
  const answer = (await (await post('/v1/tokens', who)).json()) as { accessToken: string }
  return { authorization: `Bearer ${answer.accessToken}`, 'content-type': 'application/json' }
}
