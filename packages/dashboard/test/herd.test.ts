import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withNews } from '../src/herd/client-map.ts'
import { edgesOf, serverNames } from '../src/herd/edges.ts'
import type { Client, Link } from '../src/herd/herd-api.ts'
import {
  gridStep,
  piecesOf,
  toDegrees,
  toPixels,
  viewOf,
  worldView,
  zoom,
} from '../src/herd/projection.ts'

const link = (peer: string, change: Partial<Link> = {}): Link => ({
  ...{ peer, isLinked: true, isCut: false, sinceMs: 5, isSlow: false, waiting: 0, rttMs: 1 },
  ...{ sentRecords: 2, receivedRecords: 3, reason: null },
  ...change,
})

test('a link that both ends tell of is one', () => {
  const edges = edgesOf([
    { service: 'a', name: 'Ann', links: [link('Bob')] },
    { service: 'b', name: 'Bob', links: [link('Ann', { waiting: 9 })] },
  ])

  assert.equal(edges.length, 1)
  assert.deepEqual(edges[0]?.ends, ['Ann', 'Bob'])
  assert.deepEqual([edges[0]?.state, edges[0]?.waiting, edges[0]?.records], ['linked', 9, 5])
})

test('a link is cut by whom it was cut, and down when one end says so', () => {
  const edges = edgesOf([
    {
      service: 'a',
      name: 'Ann',
      links: [link('Bob', { isLinked: false, isCut: true }), link('Cid')],
    },
    { service: 'b', name: 'Bob', links: [link('Ann', { isLinked: false, reason: 'refused' })] },
    { service: 'c', name: 'Cid', links: [link('Ann', { isLinked: false })] },
  ])

  assert.deepEqual(
    edges.map(({ ends, state, cutBy }) => [ends.join(' '), state, cutBy.join()]),
    [
      ['Ann Bob', 'cut', 'Ann'],
      ['Ann Cid', 'down', ''],
    ],
  )
})

test('a server that does not answer is known by its neighbours', () => {
  const servers = [
    { service: 'a', name: 'Ann', links: [link('Bob', { isLinked: false })] },
    { service: 'b', name: undefined, links: [] },
  ]

  assert.deepEqual(serverNames(servers), ['Ann', 'Bob'])
  assert.equal(edgesOf(servers)[0]?.state, 'down')
})

test('clients move, come and go', () => {
  const client = (name: string, latitude: number) => ({ client: name, latitude }) as Client
  const before = withNews(new Map(), { clients: [client('kiwi', 1), client('emu', 2)], gone: [] })

  const after = withNews(before, { clients: [client('kiwi', 3)], gone: ['emu', 'nobody'] })

  assert.deepEqual([...after.values()], [client('kiwi', 3)])
  assert.equal(before.size, 2)
})

const size = { width: 800, height: 400 }
const latitude = fc.double({ min: -89, max: 89, noNaN: true })
const longitude = fc.double({ min: -179, max: 179, noNaN: true })

test('a box over 180° is drawn at both edges of the map', () => {
  const box = { south: -20, north: -10, west: 177, east: -178 }

  assert.deepEqual(piecesOf(box), [
    { ...box, east: 180 },
    { ...box, west: -180 },
  ])
  assert.deepEqual(piecesOf({ ...box, west: -179 }), [{ ...box, west: -179 }])
})

test('what is pressed on is where it is drawn', () => {
  fc.assert(
    fc.property(
      latitude,
      longitude,
      fc.double({ min: 1, max: 64, noNaN: true }),
      (north, east, factor) => {
        const place = { latitude: north, longitude: east }
        const view = zoom(worldView(size), factor, size, 10, 390)
        const { x, y } = toPixels(place, view, size)
        const found = toDegrees(x, y, view, size)
        assert.ok(Math.abs(found.latitude - north) < 1e-6)
        assert.ok(Math.abs(found.longitude - east) < 1e-6)
      },
    ),
  )
})

test('zooming leaves the place under the pointer where it is', () => {
  const view = viewOf([{ latitude: 34, longitude: -118 }], size)
  const before = toDegrees(200, 300, view, size)

  const after = toDegrees(200, 300, zoom(view, 2, size, 200, 300), size)

  assert.ok(Math.abs(before.latitude - after.latitude) < 1e-9)
  assert.ok(Math.abs(before.longitude - after.longitude) < 1e-9)
})

test('a view of all clients has each of them inside, and nobody means the whole earth', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ latitude, longitude }), { minLength: 1 }), (places) => {
      const view = viewOf(places, size)
      for (const place of places) {
        const { x, y } = toPixels(place, view, size)
        assert.ok(x >= 0 && x <= size.width && y >= 0 && y <= size.height)
      }
    }),
  )
  assert.deepEqual(viewOf([], size), worldView(size))
})

test('the grid has a handful of lines at every distance', () => {
  for (let view = worldView(size), step = 0; step < 14; step++, view = zoom(view, 2, size, 0, 0)) {
    const lines = size.width / view.scale / gridStep(view, size)
    assert.ok(lines >= 5 && lines <= 20, `${lines} lines`)
  }
})
