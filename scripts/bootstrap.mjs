// Makes a fresh clone ready (install, build) and runs one task on Node 24. This file alone runs on
// whatever Node the machine has (20 or later), so it uses nothing but Node's own modules.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(root, 'node_modules', '.bin')

const tasks = {
  build: () => {},
  start: (args) => runDrover(['up', ...args]),
  test: (args) => {
    runTests(testFiles({ engines: false }), args)
    process.stdout.write(
      '\nLeft out: tests against foreign servers (nginx, HAProxy, RabbitMQ, NATS, PostgreSQL, Docker,\n' +
        'Chromium and others). With those installed (.ci/run names the Debian packages):\n' +
        'npm run test:engines\n',
    )
  },
  'test:engines': (args) => runTests(testFiles({ engines: true }), args),
  check: (args) => {
    run('biome', ['ci', '.'])
    run('knip', [])
    if (args.includes('--static')) return
    runTests(
      testFiles({ engines: false }).filter(
        (file) => file.startsWith('packages') || file.includes('tidy'),
      ),
      [],
    )
  },
  simulate: (args) => {
    process.env.SEEDS ??= '3000'
    runTests(
      testFiles({ engines: false }).filter((file) => /simulation|system.kill/.test(file)),
      ['--test-timeout=7200000', ...args],
    )
  },
  release: () => run('node', ['scripts/release.mjs']),
  bench: (args) => run('node', ['bench/dist/main.js', ...args]),
}

const [name = '', ...args] = process.argv.slice(2)
const task = tasks[name]
if (!task) stop(2, `unknown task "${name}"; known are ${Object.keys(tasks).join(', ')}`)
install()
build()
task(args)

/** Installs the locked dependencies when they are missing or older than the lock file. */
function install() {
  const mark = join(root, 'node_modules', '.package-lock.json')
  const lock = join(root, 'package-lock.json')
  if (existsSync(mark) && modifiedMs(mark) >= modifiedMs(lock)) return
  process.stderr.write('Installing dependencies (once) ...\n')
  const flags = ['--no-audit', '--no-fund', '--loglevel=error']
  // Not `npm ci`: it wants every optional package of every platform in the lock file, and the lock
  // holds those that the registry behind this project has.
  run('npm', ['install', ...flags])
}

/** Compiles what changed, and removes compiled files whose source is gone. */
function build() {
  for (const folder of [...children('packages'), 'test', 'bench']) pruneCompiled(join(root, folder))
  run('tsc', ['-b'])
  buildPage()
}

/** Bundles the dashboard when one of its sources is newer than what was bundled. */
function buildPage() {
  const folder = join(root, 'packages', 'dashboard')
  const sources = ['index.html', 'package.json', 'vite.config.ts'].map((name) => join(folder, name))
  for (const name of ['src', 'public']) sources.push(...filesIn(join(folder, name)))
  const builtMs = modifiedMs(join(folder, 'dist', 'public', 'index.html'))
  if (sources.every((file) => modifiedMs(file) <= builtMs)) return
  run('vite', ['build', folder, '--logLevel', 'warn'])
}

function children(folder) {
  return readdirSync(join(root, folder)).map((child) => join(folder, child))
}

/** Without this the compiled copy of a deleted test would keep passing. */
function pruneCompiled(folder) {
  const compiled = join(folder, 'dist')
  for (const file of filesIn(compiled)) {
    if (!file.endsWith('.js')) continue
    const source = join(folder, relative(compiled, file)).replace(/\.js$/, '.ts')
    if (existsSync(source) || existsSync(`${source}x`)) continue
    if (file.includes(`${join('dist', 'public')}`)) continue
    for (const twin of ['.js', '.js.map', '.d.ts', '.d.ts.map'])
      rmSync(file.replace(/\.js$/, twin), { force: true })
  }
}

function filesIn(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

/** The compiled tests: those that need a foreign server (`*.engine.test.ts`), or all the others. */
function testFiles({ engines }) {
  return [
    ...children('packages').map((folder) => join(folder, 'dist', 'test')),
    join('test', 'dist'),
    join('bench', 'dist', 'test'),
  ]
    .flatMap((folder) => filesIn(join(root, folder)))
    .filter((file) => file.endsWith('.test.js') && file.endsWith('.engine.test.js') === engines)
    .map((file) => relative(root, file))
    .sort()
}

/** Runs tests; plain words in `args` choose files whose path has one of them, flags go to node. */
function runTests(files, args) {
  const words = args.filter((word) => !word.startsWith('-'))
  const flags = args.filter((word) => word.startsWith('-'))
  const chosen = files.filter(
    (file) => words.length === 0 || words.some((word) => file.includes(word)),
  )
  if (chosen.length === 0) stop(1, `no test file matches ${words.join(' ')}`)
  run('node', ['--test', '--test-timeout=900000', ...flags, ...chosen])
}

function modifiedMs(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0
}

/** Runs a program of the project in the foreground; a failure ends this process with its code. */
function run(program, words) {
  const local = join(bin, program)
  const result = spawnSync(existsSync(local) ? local : program, words, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  })
  if (result.error) stop(1, `${program}: ${result.error.message}`)
  if (result.signal) process.kill(process.pid, result.signal)
  if (result.status !== 0) process.exit(result.status ?? 1)
}

/** Becomes the command. On an older Node it starts a newer one, which ends when this process does. */
function runDrover(words) {
  process.chdir(root)
  process.env.PATH = `${bin}:${process.env.PATH}`
  const file = join(root, 'packages', 'drover', 'bin', 'drover.js')
  process.argv.splice(1, process.argv.length, file, ...words)
  return import(pathToFileURL(file).href)
}

function stop(code, message) {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}
