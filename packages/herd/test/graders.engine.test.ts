import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { builtinTopologies, createTopology, serveHerd } from '../src/index.ts'
import { onFreePorts } from './processes.ts'

const run = promisify(execFile)
const graders = fileURLToPath(new URL('../../test/graders/', import.meta.url))
const program = fileURLToPath(new URL('./fixtures/serve.js', import.meta.url))
const keyText = 'a key for these tests only'

for (const builtin of Object.values(builtinTopologies))
  test(`a grader that starts ${builtin.name} at once and kills by port finds nothing wrong`, async () => {
    const topology = await onFreePorts(builtin)
    const options = JSON.stringify({ keyText, recordsMax: 10_000 })
    const servers = Object.fromEntries(
      topology.servers.map(({ name, address }) => [
        name,
        {
          port: address.port,
          command: [process.execPath, program, name, JSON.stringify(topology), options],
        },
      ]),
    )
    const herd = JSON.stringify({ servers, links: topology.links })

    const { stdout } = await run('python3', [`${graders}together.py`, herd]).catch(failed)
    assert.match(stdout, /all checks passed\n$/)
  })

test('a grader of plain sockets, without newlines and half-closes, finds nothing wrong', async () => {
  const server = await serveHerd('Clark', createTopology('alone', { Clark: 0 }, []), {
    key: Buffer.from(keyText),
    profile: 'lenient',
    recordsMax: 10_000,
  })
  const words = [`${graders}plain_sockets.py`, String(server.ports.clients), 'Clark']
  try {
    const { stdout } = await run('python3', words).catch(failed)
    assert.match(stdout, /all checks passed\n$/)
  } finally {
    await server.stop()
  }
})

/** A failed grader is told by its last lines. */
function failed(error: { stdout?: string; stderr?: string; message: string }): never {
  const said = `${error.stdout ?? ''}${error.stderr ?? ''}` || error.message
  throw new Error(said.slice(-2_000), { cause: error })
}
