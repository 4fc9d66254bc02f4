// Runs producers and consumers of the course's sharded queue as processes, each a `drover` command,
// and shows what every consumer read. Used by run.js here and in ../queue-5p3c.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/**
 * Runs `setup` against the primary manager at --broker. Consumers are registered before the first
 * message is sent, because a consumer begins at the end of its partitions.
 */
export async function runSetup(folder, setup) {
  const { values } = parseArgs({
    options: {
      broker: { type: 'string', default: '127.0.0.1:5000' },
      idle: { type: 'string', default: '20s' },
    },
  })
  const { broker, idle } = values
  for (const name of setup.brokers)
    await ask(broker, `/brokers/add?broker_name=${name}`, undefined, 'already exist')
  for (const [topic, parts] of Object.entries(setup.topics))
    for (const part of parts) await ask(broker, '/topics/add', { topic, part }, 'already exist')
  console.log(JSON.stringify((await ask(broker, '/topics')).message))

  const common = ['--broker', broker, '--log-loc', folder]
  const consumers = setup.consumers.map((topics, index) =>
    run(['consume', '--id', index + 1, '--topics', ...topics, ...common, '--idle', idle]),
  )
  const said = await Promise.all(consumers.map(({ ready }) => ready))
  const producers = setup.producers.map((topics, index) =>
    run(['produce', '--id', index + 1, '--topics', ...topics, ...common]),
  )
  await Promise.all(producers.map(({ ended }) => ended))
  // Left alone a consumer ends by itself after --idle; there is no need to wait for that.
  for (const id of said.flatMap((line) => /ids ([\d ]+)/.exec(line)[1].split(' ')))
    await until(async () => (await ask(broker, `/size?consumer_id=${id}`)).message === 0)
  for (const { end } of consumers) end()
  await Promise.all(consumers.map(({ ended }) => ended))
}

async function until(holds) {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50))
}

async function ask(broker, path, body, accepted) {
  const post = { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(`http://${broker}${path}`, body === undefined ? {} : post)
  const answer = await response.json()
  if (!response.ok && !(accepted && String(answer.message).includes(accepted)))
    throw new Error(`${path}: ${answer.message}`)
  return answer
}

/** Starts one `drover` command; `ready` resolves with the line that says so. */
function run(words) {
  const name = words.slice(0, 3).join(' ')
  const child = spawn(process.execPath, [droverBin(), ...words.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ready = Promise.withResolvers()
  const ended = Promise.withResolvers()
  ready.promise.catch(() => {})
  createInterface({ input: child.stdout }).on('line', (line) => {
    console.log(`${name}: ${line}`)
    if (line.includes('is ready')) ready.resolve(line)
  })
  child.on('exit', (code) => {
    const failed = new Error(`${name} ended with code ${code}`)
    ready.reject(failed)
    if (code === 0) ended.resolve()
    else ended.reject(failed)
  })
  return { ready: ready.promise, ended: ended.promise, end: () => child.kill('SIGTERM') }
}

/** The command of the nearest installation. */
function droverBin() {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const bin = join(folder, 'node_modules', 'drover', 'bin', 'drover.js')
    if (existsSync(bin)) return bin
    if (folder === dirname(folder)) throw new Error('drover is not installed here')
    folder = dirname(folder)
  }
}
