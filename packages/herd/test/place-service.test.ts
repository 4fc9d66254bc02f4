import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, type ManualClock } from '@drover/kernel'
import { PlaceService } from '../src/places/place-service.ts'
import type { PlacesAnswer, PlacesProvider } from '../src/places/places.ts'

const ucla = { latitude: 34.06893, longitude: -118.445127, radiusMeters: 10_000, limit: 2 }
const twoPlaces: PlacesAnswer = {
  html_attributions: [],
  results: [{ name: 'one' }, { name: 'two' }],
  status: 'OK',
}

/** A provider whose answers the test gives out. */
function heldProvider() {
  const asked: { resolve(): void; reject(): void }[] = []
  const provider: PlacesProvider = {
    name: 'held',
    decimals: 4,
    search: () =>
      new Promise((resolve, reject) => {
        asked.push({
          resolve: () => resolve(twoPlaces),
          reject: () => reject(new Error('down')),
        })
      }),
    close: async () => {},
  }
  return { provider, asked }
}

async function settle(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve))
}

test('equal questions share one answer, and later ones are answered from the cache for a while', async () => {
  const clock = createManualClock()
  const { provider, asked } = heldProvider()
  const service = new PlaceService({ provider, clock, cacheMs: 1_000 })
  const both = [service.answer(ucla), service.answer({ ...ucla, latitude: 34.0689299 })]
  await settle()
  assert.equal(asked.length, 1)
  asked[0]?.resolve()
  await Promise.all(both)

  await service.answer(ucla)
  assert.equal(asked.length, 1)
  await clock.advance(1_000)
  const later = service.answer(ucla)
  await settle()
  assert.equal(asked.length, 2)
  asked[1]?.resolve()
  await later
})

test('so many at a time are asked and so many may wait; the next one is refused', async () => {
  const { provider, asked } = heldProvider()
  const service = new PlaceService({
    provider,
    clock: createManualClock(),
    concurrencyMax: 2,
    waitingMax: 1,
  })
  const questions = [0, 1, 2].map((degree) => service.answer({ ...ucla, latitude: degree }))
  await settle()
  assert.equal(asked.length, 2)
  await assert.rejects(service.answer({ ...ucla, latitude: 3 }), { code: 'PLACES_BUSY' })

  asked[0]?.resolve()
  await settle()
  assert.equal(asked.length, 3)
  for (const question of asked) question.resolve()
  await Promise.all(questions)
})

test('a provider that fails is left alone for a while, and tried again by one', async () => {
  const clock: ManualClock = createManualClock()
  const { provider, asked } = heldProvider()
  const service = new PlaceService({ provider, clock, failuresMax: 2, pauseMs: 1_000 })
  for (let failure = 0; failure < 2; failure++) {
    const failing = assert.rejects(service.answer(ucla), /down/)
    await settle()
    asked[failure]?.reject()
    await failing
  }
  await assert.rejects(service.answer(ucla), { code: 'PLACES_BUSY' })

  await clock.advance(1_000)
  const trial = service.answer(ucla)
  await settle()
  await assert.rejects(service.answer({ ...ucla, latitude: 1 }), { code: 'PLACES_BUSY' })
  asked[2]?.resolve()
  await trial
  void service.answer({ ...ucla, latitude: 1 })
  await settle()
  assert.equal(asked.length, 4)
})

test('a question that is not answered in time fails', async () => {
  const clock = createManualClock()
  const { provider } = heldProvider()
  const service = new PlaceService({ provider, clock, timeoutMs: 500 })
  const late = assert.rejects(service.answer(ucla), { code: 'PLACES_UNREACHABLE' })
  await settle()
  await clock.advance(500)

  await late
})
