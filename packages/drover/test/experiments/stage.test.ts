import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { createStage } from '../../src/experiments/stage.ts'

function recorder() {
  const ended: string[] = []
  const thing = (name: string) => ({
    name,
    stop: async () => {
      ended.push(name)
    },
  })
  return { ended, thing }
}

test('a stage ends what was opened on it, the last first, and once', async () => {
  const { ended, thing } = recorder()
  const stage = createStage()
  await stage.open(async () => thing('queue'))
  const door = await stage.open(async () => thing('door'))

  await Promise.all([stage.end(), stage.end()])

  assert.equal(door.name, 'door')
  assert.deepEqual(ended, ['door', 'queue'])
})

test('what is being started when the stage ends is ended as well, and whoever waits for it is told', async () => {
  const { ended, thing } = recorder()
  const stage = createStage()
  const slow = Promise.withResolvers<ReturnType<typeof thing>>()
  const opening = stage.open(() => slow.promise)

  const ending = stage.end()
  slow.resolve(thing('slow'))

  await assert.rejects(opening, { code: 'EXPERIMENT_FAILED' })
  await ending
  assert.deepEqual(ended, ['slow'])
})

test('nothing can be opened once the stage has ended', async () => {
  const { ended, thing } = recorder()
  const stage = createStage()
  await stage.end()
  let isStarted = false

  const opening = stage.open(async () => {
    isStarted = true
    return thing('late')
  })

  await assert.rejects(opening, { code: 'EXPERIMENT_FAILED' })
  assert.equal(isStarted, false)
  assert.deepEqual(ended, [])
})

test('one that fails to stop keeps no other from being stopped', async () => {
  const { ended, thing } = recorder()
  const stage = createStage()
  await stage.open(async () => thing('first'))
  await stage.open(async () => ({ stop: () => Promise.reject(new Error('stuck')) }))

  await assert.rejects(stage.end(), /not everything could be stopped/)

  assert.deepEqual(ended, ['first'])
})

test('a folder of a stage goes with it', async () => {
  const stage = createStage()
  const folder = await stage.folder()
  assert.ok(existsSync(folder))

  await stage.end()

  assert.equal(existsSync(folder), false)
})
