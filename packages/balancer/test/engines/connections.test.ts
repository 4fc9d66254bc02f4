import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { connectionsTo } from '../../src/engines/connections.ts'

const onLinux = { skip: existsSync('/proc/net/tcp') ? false : 'needs /proc' }
test('connections of this machine are counted by where they lead', onLinux, async (t) => {
  for (const host of ['127.0.0.1', '::1']) {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    assert.equal(await connectionsTo(host, port), 0)

    const socket = connect(port, host)
    t.after(() => socket.destroy())
    await new Promise((resolve) => socket.once('connect', resolve))

    assert.equal(await connectionsTo(host, port), 1)
    server.close()
  }
  assert.equal(await connectionsTo('localhost', 80), undefined)
})
