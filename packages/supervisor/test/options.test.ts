import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  autoscaleDefaults,
  createGroupSpec,
  type GroupWishes,
  groupDefaults,
} from '@drover/supervisor'

const wishes: GroupWishes = { name: 'web', runtime: { kind: 'process', command: ['server'] } }

test('a group needs only a name and what it runs', () => {
  assert.deepEqual(createGroupSpec(wishes), { ...groupDefaults, ...wishes })
})

const docker = { kind: 'docker', image: 'x', command: [], containerPort: 80 } as const

const refused: [Partial<GroupWishes>, RegExp][] = [
  [{ name: '' }, /name/],
  [{ name: 'a/b' }, /"a\/b"/],
  [{ namePrefix: 'Sèrver' }, /namePrefix "Sèrver"/],
  [{ replicas: 1.5 }, /replicas is 1\.5/],
  [{ replicas: 1001 }, /replicas is 1001/],
  [{ startTimeoutMs: -1 }, /startTimeoutMs is -1/],
  [{ stopTimeoutMs: Number.NaN }, /stopTimeoutMs is NaN/],
  [{ backoff: { firstMs: 1, mostMs: Number.POSITIVE_INFINITY } }, /backoff\.mostMs is Infinity/],
  [{ logBytesMax: 10 }, /logBytesMax is 10/],
  [{ runtime: { kind: 'process', command: [] } }, /command to run is empty/],
  [{ runtime: { ...docker, image: '' } }, /image to run is empty/],
  [{ runtime: { ...docker, containerPort: 0 } }, /containerPort is 0/],
  [{ autoscale: { ...autoscaleDefaults, least: 0 } }, /from 0 to 8/],
  [{ autoscale: { ...autoscaleDefaults, least: 9 } }, /from 9 to 8/],
  [{ autoscale: { ...autoscaleDefaults, inFlightTarget: 0 } }, /inFlightTarget is 0/],
]

for (const [wish, message] of refused)
  test(`a spec with ${JSON.stringify(wish)} is refused by name and value`, () => {
    assert.throws(() => createGroupSpec({ ...wishes, ...wish }), { code: 'SPEC_INVALID', message })
  })
