import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupsOf } from '../src/queue/groups.ts'
import { readFigures, replay } from '../src/queue/queue-api.ts'

test('the figures of a topic are those that the queue counts', () => {
  const figures =
    readFigures(`drover_queue_lag_messages{topic="mails",kind="work",group="workers"} 3
drover_queue_lag_messages{topic="mails",kind="offsets",group="audit"} 8
drover_queue_work_messages{topic="mails",state="ready"} 2
drover_queue_work_messages{topic="mails",state="leased"} 1
drover_queue_stored_bytes{topic="mails"} 251
drover_queue_broker_partitions{broker="broker0",state="up"} 3
`)

  assert.deepEqual(
    [...figures],
    [['mails', { ready: 2, leased: 1, delayed: 0, bytes: 251, lag: 8 }]],
  )
})

test('a group is behind by what it has before it in all partitions', () => {
  const one = { group: 'workers', kind: 'work', offset: 0, members: -1 }

  assert.deepEqual(
    groupsOf([
      { ...one, partition: 0, lag: 2 },
      { ...one, partition: 1, lag: 3, members: 2 },
      { ...one, kind: 'offsets', partition: 0, lag: 1 },
    ]),
    [
      { name: 'workers', kind: 'work', lag: 5, members: 2 },
      { name: 'workers', kind: 'offsets', lag: 1, members: -1 },
    ],
  )
})

test('a dead letter is stored again before it is taken away, as it was sent first', async () => {
  const said: string[] = []
  const letter = { partition: 0, offset: 4, timeMs: 1, value: 'two', key: 'ann' }
  const headers = { trace: 'x', 'drover-reason': 'no such street' }
  const batches = [[{ token: 't1', message: { ...letter, headers } }], []]
  const queue = {
    post: async (path: string, body?: unknown) => {
      said.push(`${path} ${JSON.stringify(body)}`)
      return path.endsWith('/leases') ? { leases: batches.shift() } : {}
    },
  }

  const count = await replay(queue as never, 'mails.dead', 'mails')

  assert.equal(count, 1)
  assert.deepEqual(said, [
    '/v1/topics/mails.dead/leases {"count":100,"leaseMs":60000}',
    '/v1/topics/mails/messages {"messages":[{"value":"two","key":"ann","headers":{"trace":"x"}}]}',
    '/v1/leases/ack {"tokens":["t1"]}',
    '/v1/topics/mails.dead/leases {"count":100,"leaseMs":60000}',
  ])
})
