import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startDrover, temporaryFolder } from './harness/drover.ts'
import { get } from './harness/load.ts'
import { spawnBeside } from './harness/processes.ts'
import { root } from './harness/project.ts'
import { until } from './harness/until.ts'

const folder = join(root, 'examples', 'observe')
const shift = 12_000 + Math.floor(Math.random() * 800)

interface Answer<Data> {
  readonly status: string
  readonly data: Data
}

/** Starts Prometheus with the example's file, which then scrapes the instance at `admin`. */
async function startPrometheus(context: TestContext, admin: string): Promise<string> {
  const place = await temporaryFolder()
  const config = join(place, 'prometheus.yml')
  const text = await readFile(join(folder, 'prometheus.yml'), 'utf8')
  const quick = text.replace('http://127.0.0.1:8081', admin).replaceAll(/\b(5|15)s\b/g, '1s')
  await writeFile(config, quick)
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${join(place, 'data')}`]
  const words = [...flags, '--web.listen-address=127.0.0.1:0']
  const { says } = spawnBeside(context, 'prometheus', words)
  const listening = /Listening on"? address=(127\.0\.0\.1:\d+)/i
  const [, address] = await says('Prometheus listens', listening)
  return `http://${address}`
}

async function ask<Data>(url: string): Promise<Data> {
  const answer = (await (await fetch(url)).json()) as Answer<Data>
  assert.equal(answer.status, 'success', url)
  return answer.data
}

test('examples/observe: Prometheus finds all there is, and knows what the dashboard asks', async (context) => {
  const drover = await startDrover(context, ['up', '--shift', String(shift)])
  const prometheus = await startPrometheus(context, drover.admin)
  const targets = async () => {
    const url = `${prometheus}/api/v1/targets?state=active`
    type Target = { health: string; lastError: string; labels: { drover_service: string } }
    return (await ask<{ activeTargets: Target[] }>(url)).activeTargets
  }
  const services = [
    'door',
    'queue',
    'jobs',
    'chunks',
    'bailey',
    'bona',
    'campbell',
    'clark',
    'jaquez',
  ]

  await until('everything is scraped', async () => {
    for (let count = 0; count < 10; count++) await get(`http://127.0.0.1:${8080 + shift}/home`)
    const found = await targets()
    const names = found.map(({ labels }) => labels.drover_service).sort()
    return (
      names.join() === services.toSorted().join() && found.every(({ health }) => health === 'up')
    )
  })

  const text = await readFile(join(folder, 'grafana-dashboard.json'), 'utf8')
  const { panels } = JSON.parse(text) as { panels: { targets?: { expr: string }[] }[] }
  const questions = panels.flatMap(({ targets: own = [] }) => own.map(({ expr }) => expr))
  assert.ok(questions.length > 15)
  // Without topics, jobs and the like there is nothing to count; the questions are right all the same.
  const mayBeEmpty = /queue_|drover_jobs|retries_denied|5xx|_total\[5m\]/
  for (const question of questions)
    await until(`an answer to ${question}`, async () => {
      await get(`http://127.0.0.1:${8080 + shift}/home`)
      const url = `${prometheus}/api/v1/query?query=${encodeURIComponent(question)}`
      const { result } = await ask<{ result: unknown[] }>(url)
      return result.length > 0 || mayBeEmpty.test(question)
    })

  const through = await fetch(`http://127.0.0.1:${8000 + shift}/metrics`)
  assert.equal(through.status, 403, 'the front door shows no figures of jobs')
})
