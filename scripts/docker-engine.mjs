// Runs a Docker engine of its own, beside any that the machine has: own data, own bridge, no firewall
// rules. For the tests, and for trying the examples where no engine runs. Needs root and dockerd.
//
//   node scripts/docker-engine.mjs        prints {"socket": "..."} when it answers
//
// It ends with everything in it on ctrl-C, on SIGTERM, or when its input ends.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const startTimeoutMs = 30_000
const stopTimeoutMs = 20_000

const folder = mkdtempSync(join(tmpdir(), 'drover-engine-'))
const socket = join(folder, 'docker.sock')
const bridge = `drv${process.pid.toString(36)}`
let engine

process.once('SIGINT', stop)
process.once('SIGTERM', stop)
process.stdin.once('end', stop).resume()

try {
  makeBridge()
  // Layers that share save seconds and gigabytes; plain copies work on every file system.
  if (!(await start('overlay2')) && !(await start('vfs'))) throw new Error(lastWords())
  console.log(JSON.stringify({ socket }))
} catch (error) {
  console.error(`no Docker engine: ${error.message}`)
  process.exitCode = 1
  await stop()
}

/** A network of its own, so that an engine that the machine has keeps its bridge and addresses. */
function makeBridge() {
  const third = process.pid % 250
  ip('link', 'add', bridge, 'type', 'bridge')
  ip('address', 'add', `10.213.${third}.1/24`, 'dev', bridge)
  ip('link', 'set', bridge, 'up')
}

function ip(...words) {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Resolves to whether an engine with this storage driver came up. */
async function start(driver) {
  const log = openSync(join(folder, 'log'), 'a')
  const flags = [
    ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
    ...['--pidfile', join(folder, 'pid'), '--host', `unix://${socket}`],
    ...['--storage-driver', driver, '--bridge', bridge],
    // Published ports are served by the engine's own relay, which needs no rules.
    ...['--iptables=false', '--ip-forward=false', '--ip-masq=false'],
  ]
  // In a session of its own: ctrl-C is for this script, which then ends the engine in order.
  engine = spawn('dockerd', flags, { stdio: ['ignore', log, log], detached: true })
  engine.once('error', () => {})
  closeSync(log)
  const endsAt = performance.now() + startTimeoutMs
  while (engine.pid !== undefined && isRunning() && performance.now() < endsAt) {
    if (await answers()) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await end()
  return false
}

function answers() {
  return new Promise((resolve) => {
    const request = get({ socketPath: socket, path: '/_ping', agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    request.once('error', () => resolve(false))
  })
}

function isRunning() {
  return engine.exitCode === null && engine.signalCode === null
}

/** Ends the engine; containers that still run end with it. */
async function end() {
  if (engine?.pid === undefined || !isRunning()) return
  const ended = once(engine, 'exit')
  engine.kill('SIGTERM')
  const late = setTimeout(() => engine.kill('SIGKILL'), stopTimeoutMs)
  await ended
  clearTimeout(late)
}

async function stop() {
  process.stdin.destroy()
  await end()
  try {
    ip('link', 'delete', bridge)
  } catch {
    // It was never made.
  }
  unmount(join(folder, 'exec', 'netns', 'default'))
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** A container on the host's network leaves a mount of it behind, which the engine forgets. */
function unmount(path) {
  try {
    execFileSync('umount', ['--lazy', path], { stdio: 'ignore' })
  } catch {
    // There was no such container.
  }
}

function lastWords() {
  try {
    return readFileSync(join(folder, 'log'), 'utf8').trim().split('\n').slice(-3).join('\n')
  } catch {
    return 'dockerd was not found'
  }
}
