import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { type DockerEngine, startDockerEngine } from './harness/docker-engine.ts'
import { temporaryFolder } from './harness/drover.ts'
import { root } from './harness/project.ts'
import { until } from './harness/until.ts'

const run = promisify(execFile)
const deploy = join(root, 'examples', 'deploy')

/** Where the container listens: on the host's network, beside whatever else runs there. */
const port = 15_000 + 2 * Math.floor(Math.random() * 400)

/** The shared libraries of a program, its loader among them. */
function librariesOf(program: string): string[] {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' })
  return text.split('\n').flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? [])
}

/** A stand-in for node:24-slim, which cannot be pulled here: node, its libraries, nothing else. */
async function makeBase(folder: string): Promise<string> {
  const base = join(folder, 'base')
  const files = [process.execPath, ...librariesOf(process.execPath)]
  for (const file of files) {
    const to = join(base, file === process.execPath ? '/usr/bin/node' : file)
    await mkdir(dirname(to), { recursive: true })
    await cp(file, to, { dereference: true })
  }
  await mkdir(join(base, 'tmp'))
  await chmod(join(base, 'tmp'), 0o777)
  const archive = join(folder, 'base.tar')
  await run('tar', ['-cf', archive, '-C', base, '.'])
  return archive
}

/** What a container wrote, also where people read errors. */
async function logsOf({ env }: DockerEngine, container: string): Promise<string> {
  const { stdout, stderr } = await run('docker', ['logs', container], {
    env: { ...process.env, ...env },
  })
  return `${stdout}${stderr}`
}

test('the release runs in the image of examples/deploy, serves, reloads, and stops', async (context) => {
  const { stdout } = await run(process.execPath, ['scripts/release.mjs'], { cwd: root })
  assert.match(stdout, /release: \d+ MiB/)
  const folder = await temporaryFolder()
  const engine = await startDockerEngine()
  context.after(() => engine.stop())
  const path = ['--change', 'ENV PATH=/usr/bin']
  await engine.docker('import', ...path, await makeBase(folder), 'node:24-slim')
  const file = join(deploy, 'Dockerfile')
  await engine.docker('build', '--quiet', '-t', 'drover', '-f', file, join(root, 'release'))
  const work = join(folder, 'work')
  await mkdir(work)
  const config = await readFile(join(deploy, 'drover.yaml'), 'utf8')
  await writeFile(join(work, 'drover.yaml'), config)

  const flags = ['--detach', '--init', '--network', 'host', '--volume', `${work}:/work`]
  const moved = config
    .replace('0.0.0.0:8080', `127.0.0.1:${port}`)
    .replace('0.0.0.0:8081', `127.0.0.1:${port + 1}`)
  await writeFile(join(work, 'drover.yaml'), moved)
  const container = await engine.docker('run', ...flags, 'drover')
  const home = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/home`).catch(() => undefined)
    return answer?.ok ? answer.text() : undefined
  }
  await until('it answers', async () => {
    const state = await engine.docker('inspect', '-f', '{{.State.Running}}', container)
    if (state !== 'true') throw new Error(await logsOf(engine, container))
    return home()
  })
  const status = async () => {
    const headers = { authorization: 'Bearer put-your-own-token-here' }
    const answer = await fetch(`http://127.0.0.1:${port + 1}/v1/status`, { headers })
    return (await answer.json()) as { services: { name: string; available: number }[] }
  }
  assert.equal((await fetch(`http://127.0.0.1:${port + 1}/v1/status`)).status, 401)

  await writeFile(join(work, 'drover.yaml'), moved.replace('replicas: 3', 'replicas: 4'))
  await engine.docker('kill', '--signal', 'HUP', container)
  await until('the new configuration is in effect', async () => {
    return (await status()).services[0]?.available === 4
  })

  await engine.docker('stop', '-t', '45', container)
  assert.equal(await engine.docker('inspect', '-f', '{{.State.ExitCode}}', container), '0')
  assert.equal(await home(), undefined)
})

test('the systemd unit and the compose file are such', async () => {
  const unit = join(deploy, 'drover.service')
  const compose = await readFile(join(deploy, 'compose.yaml'), 'utf8')

  const verified = await run('systemd-analyze', ['verify', '--man=no', unit]).catch(
    (error) => error,
  )

  // Programs and users of the unit are on the host that it is for.
  const lines = `${verified.stderr ?? ''}`
    .split('\n')
    .filter((line) => line.includes('drover.service'))
  assert.deepEqual(
    lines.filter((line) => !/not executable|No such file|Failed to .*user/i.test(line)),
    [],
  )
  assert.match(compose, /image: drover/)
})
