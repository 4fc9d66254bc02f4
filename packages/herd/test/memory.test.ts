import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HerdState } from '../src/state/herd-state.ts'
import { recordOf } from './records.ts'

const mebibyte = 2 ** 20

test('a million clients take less than 250 MiB beside the process itself', () => {
  const clients = 1_000_000
  const before = process.memoryUsage.rss()
  const limits = { recordsMax: clients, textBytesMax: clients * 176, lifetimeMs: 0, hashSeed: 3 }
  const state = new HerdState(limits)
  // One record is written over again and again: what the test itself throws away must not count.
  const said = { key: 'client0000000.example', seconds: 1_621_464_827, nanos: 959_498_503 }
  const record = recordOf(state.origins.enter('Clark', 1), said)
  const firstDigit = record.differenceBytes + 1 + 'client'.length
  for (let client = 0; client < clients; client++) {
    for (let place = 0, left = client; place < 7; place++, left = Math.floor(left / 10))
      record.text[firstDigit + 6 - place] = 48 + (left % 10)
    record.latitude = ((client * 7_919) % 179_000) / 1_000 - 89
    record.longitude = ((client * 104_729) % 359_000) / 1_000 - 179
    if (state.put(record, 0) < 0) assert.fail(`client ${client} found no room`)
  }

  const takenBytes = process.memoryUsage.rss() - before
  assert.equal(state.count, clients)
  assert.ok(takenBytes < 250 * mebibyte, `${Math.round(takenBytes / mebibyte)} MiB`)
})
