import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ip = (...words: string[]) => run('ip', words)

/** A host of a test: a network namespace with one address on a network that only the test has. */
export interface Host {
  readonly address: string
  /** Runs a program there to its end; returns what it wrote. Throws when it fails. */
  run(program: string, words: readonly string[], cwd?: string): Promise<string>
  /** Starts a program there. The test's end stops it. */
  start(program: string, words: readonly string[], cwd: string): Started
  /** Takes it off the network, or puts it back. */
  connect(isConnected: boolean): Promise<void>
}

export interface Started {
  readonly child: ChildProcess
  output(): string
}

/** Makes a network of hosts with these addresses (/24). Needs root; the test's end removes it. */
export async function createNetwork(
  context: TestContext,
  addresses: readonly string[],
): Promise<Host[]> {
  const mark = `dr${process.pid % 100_000}`
  const bridge = `${mark}b`
  await ip('link', 'add', bridge, 'type', 'bridge')
  await ip('link', 'set', bridge, 'up')
  const removals: (() => Promise<unknown>)[] = []
  context.after(async () => {
    for (const remove of removals) await remove()
    await ip('link', 'del', bridge)
  })
  return Promise.all(
    addresses.map((address, index) => createHost(removals, `${mark}n${index}`, bridge, address)),
  )
}

async function createHost(
  removals: (() => Promise<unknown>)[],
  name: string,
  bridge: string,
  address: string,
): Promise<Host> {
  const inside = ['netns', 'exec', name]
  const started: ChildProcess[] = []
  await ip('netns', 'add', name)
  removals.push(async () => {
    await Promise.all(started.map(end))
    await ip('link', 'del', name)
    await ip('netns', 'del', name)
  })
  await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  await ip('link', 'set', name, 'master', bridge, 'up')
  await ip('-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0')
  for (const link of ['lo', 'eth0']) await ip('-n', name, 'link', 'set', link, 'up')
  return {
    address,
    async run(program, words, cwd) {
      const options = { cwd, timeout: 20_000 }
      const { stdout } = await run('ip', [...inside, program, ...words], options)
      return stdout
    },
    start(program, words, cwd) {
      const child = spawn('ip', [...inside, program, ...words], { cwd })
      started.push(child)
      let said = ''
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text
        })
      return { child, output: () => said }
    },
    async connect(isConnected) {
      await ip('link', 'set', name, isConnected ? 'up' : 'down')
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
