import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nextTime } from '../src/schedule.ts'

const at = (iso: string) => new Date(iso).getTime()
const next = (cron: string, zone: string, after: string) => {
  const ms = nextTime(cron, zone, at(after))
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

test('a time is that of the zone, whatever it is elsewhere', () => {
  assert.equal(next('30 9 * * 1-5', 'UTC', '2026-03-06T12:00:00Z'), '2026-03-09T09:30:00.000Z')
  assert.equal(
    next('0 9 * * *', 'America/New_York', '2026-01-10T00:00:00Z'),
    '2026-01-10T14:00:00.000Z',
  )
  assert.equal(
    next('*/15 * * * *', 'Asia/Kolkata', '2026-01-10T00:01:00Z'),
    '2026-01-10T00:15:00.000Z',
  )
})

test('a time that the clocks jump over comes at the end of the jump', () => {
  assert.equal(
    next('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z'),
    '2026-03-29T01:00:00.000Z',
  )
})

test('a time that the clocks show twice comes once', () => {
  const first = next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z')

  assert.equal(first, '2026-10-25T00:30:00.000Z')
  assert.equal(next('30 2 * * *', 'Europe/Berlin', first ?? ''), '2026-10-26T01:30:00.000Z')
})

test('a day that never comes is no time', () => {
  assert.equal(next('0 0 31 2 *', 'UTC', '2026-01-01T00:00:00Z'), undefined)
  assert.equal(next('0 0 29 2 *', 'UTC', '2026-03-01T00:00:00Z'), '2028-02-29T00:00:00.000Z')
})

for (const [cron, zone] of [
  ['* * * *', 'UTC'],
  ['* * * * * *', 'UTC'],
  ['60 * * * *', 'UTC'],
  ['x * * * *', 'UTC'],
  ['* * * * *', 'Middle/Earth'],
] as const)
  test(`"${cron}" in ${zone} is refused`, () => {
    assert.throws(() => nextTime(cron, zone, 0), { code: 'SCHEDULE_INVALID' })
  })

test('the next time is after the one before, on a whole minute that the fields name', () => {
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe')
  const minute = fc.integer({ min: 0, max: 59 })
  const hour = fc.integer({ min: 0, max: 23 })
  fc.assert(
    fc.property(
      zones,
      minute,
      hour,
      fc.integer({ min: 0, max: at('2035-01-01T00:00:00Z') }),
      (zone, wantedMinute, wantedHour, afterMs) => {
        const found = nextTime(`${wantedMinute} ${wantedHour} * * *`, zone, afterMs) ?? 0
        assert.ok(found > afterMs)
        assert.ok(found - afterMs <= 26 * 3_600_000)
        assert.equal(found % 60_000, 0)
      },
    ),
    { numRuns: 300 },
  )
})
