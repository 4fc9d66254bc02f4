import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { anyPort, runDrover, startDrover, temporaryFolder } from './harness/drover.ts'
import { processesWith } from './harness/environment.ts'
import { type Ran, spawnBeside } from './harness/processes.ts'
import { bin, homeServer } from './harness/project.ts'
import { until } from './harness/until.ts'

/** All of them take a minute where nothing else runs. */
const allMsMax = 300_000

let ran: Ran
let folder: string

before(async () => {
  folder = await temporaryFolder()
  const words = ['experiment', 'all', '--quick', '--out', 'reports']
  ran = await runDrover(words, { cwd: folder, timeoutMs: allMsMax })
})

function pageOf(name: string): Promise<string> {
  return readFile(join(folder, 'reports', `${name}.html`), 'utf8')
}

/** The rows of a table of a report, by the first cell of each; numbers without their commas. */
async function tableOf(name: string, title: string): Promise<Map<string, string[]>> {
  const page = await pageOf(name)
  const [, table = ''] = page.split(`<h2>${title}</h2>`)
  const rows = (table.split('</table>')[0] ?? '').split('<tr>').slice(2)
  return new Map(
    rows.map((row) => {
      const cells = [...row.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, cell = '']) => cell)
      const [first = '', ...rest] = cells.map((cell) => cell.replaceAll(/(?<=\d),(?=\d{3})/g, ''))
      return [first, rest]
    }),
  )
}

function sum(cells: readonly string[]): number {
  return cells.reduce((total, cell) => total + Number(cell), 0)
}

async function names(): Promise<string[]> {
  const { stdout } = await runDrover(['experiment'])
  return [...stdout.matchAll(/^(\S+) /gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'all')
}

test('drover experiment all leaves a report of each that nothing in it gives the lie, and one page that links them', async () => {
  const index = await pageOf('index')
  const all = await names()

  assert.equal(ran.code, 0, ran.stderr)
  assert.ok(all.length >= 11, all.join())
  assert.deepEqual(
    [...index.matchAll(/<a href="([\w-]+)\.html">/g)].map(([, name]) => name),
    all,
  )
  for (const name of all) {
    const page = await pageOf(name)
    assert.match(page, /<svg /, name)
    assert.match(page, /<td/, name)
    assert.ok(page.includes(`<pre>npx drover experiment ${name} --quick</pre>`), name)
    assert.match(page, /cores \(.*GiB of memory/, name)
    assert.match(page, /What the course’s document reports/, name)
    assert.doesNotMatch(page, /✗|NaN|undefined|Infinity|https?:\/\/(?!127)/, name)
  }
})

test('a1, a2 and a4 account for every request', async () => {
  const a1 = await tableOf('a1', 'Requests by replica')
  const a2 = await tableOf('a2', 'Load by number of replicas')
  const a4 = await tableOf('a4', 'Three replicas')

  const counts = [...a1.values()].map(([count = '']) => count)
  assert.equal(counts.length, 3)
  assert.equal(sum(counts), 600)
  // 84 % of the ids fall on Server 1; fewer than 70 % of 600 would be a chance of less than 1 in 10^15.
  assert.ok(Number(counts[0]) > 420, counts.join())
  assert.deepEqual([...a2.keys()], ['2', '3', '4', '5', '6'])
  for (const cells of a2.values()) assert.equal(sum(cells.at(-1)?.split(', ') ?? []), 600)
  for (const [each = ''] of a4.values()) assert.equal(sum(each.split(', ')), 600)
})

test('a3 calls every endpoint, and every dead replica has a successor', async () => {
  const deaths = await tableOf('a3', 'Deaths')
  const calls = await tableOf('a3', 'Endpoints')

  assert.equal(deaths.size, 2)
  for (const [how, successor, ms] of deaths.values()) {
    assert.match(`${how}`, /killed|hanging/)
    assert.notEqual(successor, 'none')
    assert.ok(Number(ms) > 0)
  }
  assert.equal(calls.size, 8)
  for (const [status, expected] of calls.values()) assert.equal(status, expected)
})

test('round robin and least connections share evenly, weights 8, 1, 1 give 80, 10 and 10', async () => {
  for (const name of ['round-robin', 'least-connections'])
    for (const kind of ['/test_endpoint', 'submissions']) {
      const row = (await tableOf(name, 'Calls that each replica answered')).get(kind) ?? []
      assert.deepEqual(row.toSorted(), ['0', '33', '33', '34'], `${name} ${kind}`)
    }
  const weighted = await tableOf('weighted', 'Calls that each replica answered')

  assert.deepEqual(weighted.get('/test_endpoint'), ['80', '10', '10', '0'])
  assert.deepEqual(weighted.get('submissions'), ['80', '10', '10', '0'])
})

test('least connections spares a slow replica, round robin does not', async () => {
  const slowed = await tableOf('least-connections', '300 calls, 12 at a time, Server 3 slow')
  const least = slowed.get('least-connections')?.slice(0, 3) ?? []
  const turns = slowed.get('round-robin')?.slice(0, 3) ?? []

  assert.equal(sum(least), 300)
  assert.equal(sum(turns), 300)
  assert.ok(Number(least[2]) < Number(turns[2]), `${least.join()} and ${turns.join()}`)
})

test('with one of three replicas down the others answer half each, and nothing fails', async () => {
  const rows = await tableOf('replica-down', 'Calls that each replica answered')

  assert.deepEqual(rows.get('down'), ['50', '50', '0', '0', '50 / 50 / 0'])
  assert.deepEqual(rows.get('down, submissions')?.slice(0, 4), ['50', '50', '0', '0'])
  const dying = rows.get('while it dies')?.slice(0, 4) ?? []
  assert.equal(sum(dying), 100)
  assert.equal(dying[3], '0')
  assert.ok(Number(dying[2]) <= 10, dying.join())
})

test('parallel calls are all answered, a third by each replica', async () => {
  const page = await pageOf('parallel-calls')
  const [, table = ''] = page.split('<h2>Calls</h2>')
  const rows = [...(table.split('</table>')[0] ?? '').matchAll(/<tr><td>(\S+?)<\/td>(.*?)<\/tr>/gs)]

  assert.equal(rows.length, 10)
  for (const [, kind, cells = ''] of rows) {
    const numbers = [...cells.matchAll(/<td class="number">([\d,.]+)<\/td>/g)].map(
      ([, cell = '']) => cell.replaceAll(',', ''),
    )
    assert.equal(numbers.length, 8, kind)
    assert.equal(sum(numbers.slice(-3)), 256, kind)
  }
})

test('a queue that is stopped, started and killed loses nothing that was accepted', async () => {
  const row = [...(await tableOf('queue-restart', 'Submissions'))][0]
  const [sent, [accepted, refused, done, jobs] = []] = row ?? []
  const outages = await tableOf('queue-restart', 'The queue')

  assert.equal(Number(sent), Number(accepted) + Number(refused))
  assert.equal(done, accepted)
  assert.ok(Number(jobs) >= Number(accepted))
  assert.ok(Number(accepted) > 20, String(accepted))
  assert.deepEqual([...outages.keys()], ['stopped', 'killed'])
  for (const [from, until] of outages.values()) assert.ok(Number(until) > Number(from))
})

test('the herd floods to all five, and goes on with any one of them dead', async () => {
  const times = await tableOf('herd', 'From the answer to the last of five, ms')
  const killed = await tableOf('herd', 'Bailey’s herd: each server killed in turn')

  const five = ['Bailey', 'Bona', 'Campbell', 'Clark', 'Jaquez']
  assert.deepEqual([...times.keys()], five)
  assert.equal(sum([...times.values()].map(([updates = '']) => updates)), 100)
  assert.deepEqual([...killed.keys()], five)
  for (const row of killed.values()) assert.deepEqual(row, ['16', '16', '0', '0', '4', 'yes'])
  const [, messages] = /An update takes ([\d.]+) messages/.exec(await pageOf('herd')) ?? []
  assert.ok(Number(messages) >= 4 && Number(messages) <= 12, messages)
})

test('without a name it lists them; with a wrong one it names the nearest', async () => {
  const listed = await runDrover(['experiment'])
  const wrong = await runDrover(['experiment', 'wieghted'])

  assert.equal(listed.code, 0)
  assert.match(listed.stdout, /^weighted +\S.* \(\d+ s\)$/m)
  assert.match(listed.stdout, /^all +all of them/m)
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /did you mean "weighted"\?/)
})

test('ctrl-c ends an experiment and all that it started, and leaves no folder', async (context) => {
  const TMPDIR = await temporaryFolder()
  const words = [bin, 'experiment', 'queue-restart']
  const { child, ended, says } = spawnBeside(context, process.execPath, words, {
    cwd: await temporaryFolder(),
    env: { TMPDIR },
  })
  await says('submissions go on', /submissions go on/, 60_000)
  const running = await processesWith(`TMPDIR=${TMPDIR}`)

  child.kill('SIGINT')

  assert.equal(await ended, 130)
  assert.ok(running.length >= 6, `${running.length}`)
  await until('none is left', async () => (await processesWith(`TMPDIR=${TMPDIR}`)).length === 0)
  assert.deepEqual(
    (await readdir(TMPDIR)).filter((name) => name.startsWith('drover-experiment')),
    [],
  )
})

test('an experiment that the admin API started ends with the instance, even by SIGKILL', async (context) => {
  const TMPDIR = await temporaryFolder()
  const words = ['balance', ...anyPort, '-n', '1', '--', process.execPath, homeServer]
  const drover = await startDrover(context, words, { env: { TMPDIR } })
  const view = async () => {
    const list = (await (await fetch(`${drover.admin}/v1/experiments`)).json()) as {
      name: string
      state: string
      step: number
    }[]
    return list.find(({ name }) => name === 'a3')
  }

  await drover.post('/v1/experiments/a3')
  await until('replicas die under load', async () => ((await view())?.step ?? 0) >= 2, 60_000)
  drover.child.kill('SIGKILL')
  await drover.ended

  await until('none is left', async () => (await processesWith(`TMPDIR=${TMPDIR}`)).length === 0)
})

test('the admin API runs an experiment and serves its report', async (context) => {
  const words = ['balance', ...anyPort, '-n', '1', '--', process.execPath, homeServer]
  const drover = await startDrover(context, words)
  const events = async () => {
    const response = await fetch(`${drover.admin}/v1/events?follow=false`)
    return ((await response.json()) as { kind: string }[]).map(({ kind }) => kind)
  }

  await drover.post('/v1/experiments/a1', { quick: true })
  await until('it is done', async () => (await events()).includes('drover.experiment.done'), 60_000)
  const report = await fetch(`${drover.admin}/v1/experiments/a1/report`)

  assert.equal(report.status, 200)
  assert.match(report.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  assert.match(await report.text(), /600 of 600 requests were answered/)
})
