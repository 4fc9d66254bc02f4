// Puts all that running Drover needs, and nothing more, into the folder `release`: the compiled
// packages, their dependencies, the sample server. It runs on any host with Node 24, and is what the
// Dockerfile and the systemd unit of examples/deploy take.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const release = join(root, 'release')
const readJson = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'))

rmSync(release, { recursive: true, force: true })
for (const name of readdirSync(join(root, 'packages'))) copyPackage(name)
cpSync(join(root, 'examples', 'home-server'), join(release, 'examples', 'home-server'), {
  recursive: true,
})
cpSync(join(root, 'LICENSE'), join(release, 'LICENSE'))
writeManifest()
install()
rmSync(join(release, 'package-lock.json'))
process.stdout.write(
  `release: ${mebibytes(release)} MiB; run it by packages/drover/bin/drover.js\n`,
)

/** What a package says that it publishes, without types and maps. */
function copyPackage(name) {
  const { files } = readJson('packages', name, 'package.json')
  const from = join(root, 'packages', name)
  const to = join(release, 'packages', name)
  for (const entry of ['package.json', ...files.map((file) => file.replace(/\.\*$/, '.js'))])
    cpSync(join(from, entry), join(to, entry), { recursive: true, filter })
}

function filter(path) {
  return !/\.(map|d\.ts|tsbuildinfo)$/.test(path)
}

function writeManifest() {
  const { name, version, license, type } = readJson('package.json')
  const workspaces = ['packages/*']
  const manifest = { name, version, private: true, license, type, workspaces }
  mkdirSync(release, { recursive: true })
  writeFileSync(join(release, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  cpSync(join(root, 'package-lock.json'), join(release, 'package-lock.json'))
}

/** By the lock, so that what was tested is what is released. */
function install() {
  const flags = ['--omit=dev', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts']
  const { status } = spawnSync('npm', ['install', ...flags], { cwd: release, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

function mebibytes(folder) {
  const bytes = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
  return Math.round(bytes / 2 ** 20)
}
