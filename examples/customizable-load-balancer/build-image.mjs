// Builds the image of the sample server without a registry and without the docker command: node
// itself, the libraries that it needs, and server.js, sent to the engine as one archive.
//
//   node build-image.mjs [name]         name: drover-home-server (default)
//
// It uses the engine of DOCKER_HOST (unix://...) or /var/run/docker.sock, and needs Linux with ldd
// and tar. With a registry at hand, `docker build` and the Dockerfile beside this file do the same.
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const name = process.argv[2] ?? 'drover-home-server'
const socket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '')

const root = mkdtempSync(join(tmpdir(), 'drover-image-'))
try {
  fill(root)
  await send(root)
  console.log(`built ${name}`)
} catch (error) {
  console.error(`${name} was not built: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(root, { recursive: true, force: true })
}

/** Puts the file system of the image into `folder`. */
function fill(folder) {
  const node = realpathSync(process.execPath)
  copy(node, join(folder, 'usr/bin/node'))
  for (const library of librariesOf(node)) copy(realpathSync(library), join(folder, library))
  for (const file of ['server.js', 'package.json'])
    copy(join(here, '..', 'home-server', file), join(folder, 'app', file))
  mkdirSync(join(folder, 'tmp'))
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to, { dereference: true })
}

/** The shared libraries of a program, its loader among them, as `ldd` tells their paths. */
function librariesOf(program) {
  return execFileSync('ldd', [program], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? [])
}

/** Sends `folder` to the engine, which makes it an image of one layer. */
async function send(folder) {
  const changes = ['ENV PORT=5000', 'EXPOSE 5000', 'CMD ["/usr/bin/node", "/app/server.js"]']
  const query = new URLSearchParams({ fromSrc: '-', repo: name, tag: 'latest' })
  for (const change of changes) query.append('changes', change)
  const tar = spawn('tar', ['--create', '--owner=0', '--group=0', '--directory', folder, '.'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const answer = await new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: socket,
        method: 'POST',
        path: `/images/create?${query}`,
        headers: { host: 'docker', 'content-type': 'application/x-tar' },
      },
      resolve,
    )
    outgoing.once('error', reject)
    tar.once('error', (error) => outgoing.destroy(error))
    tar.stdout.pipe(outgoing)
  })
  answer.setEncoding('utf8')
  let text = ''
  for await (const chunk of answer) text += chunk
  // A refusal may come as a line of an answer that began well.
  if (answer.statusCode !== 200 || text.includes('"error"')) throw new Error(text.trim())
}
