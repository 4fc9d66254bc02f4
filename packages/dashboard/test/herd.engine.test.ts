import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type RunningDrover, startDrover, until } from './harness/drover.ts'
import { herdConfig } from './harness/everything.ts'
import { openPage, rowOf } from './harness/page.ts'

interface Link {
  readonly peer: string
  readonly isLinked: boolean
  readonly isCut: boolean
}

async function start(t: TestContext) {
  const herd = await herdConfig(t)
  const drover = await startDrover(t, { services: herd.services })
  await until('all links', async () => {
    const links = await Promise.all(['ann', 'bob', 'cid'].map((name) => linksOf(drover, name)))
    return links.flat().length === 4 && links.flat().every(({ isLinked }) => isLinked)
  })
  return { drover, linePort: herd.linePort }
}

async function linksOf(drover: RunningDrover, service: string): Promise<readonly Link[]> {
  const found = await drover
    .get<{ links: Link[] }>(`/parts/${service}/v1/links`)
    .catch(() => ({ links: [] }))
  return found.links
}

const client = (drover: RunningDrover, service: string, id: string) =>
  drover
    .get<{ server: string; latitude: number; longitude: number }>(
      `/parts/${service}/v1/clients/${id}`,
    )
    .catch(() => undefined)

/** Says a line as clients do. */
function say(port: number, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => socket.write(`${line}\n`))
    socket.once('error', reject)
    socket.once('data', () => {
      socket.destroy()
      resolve()
    })
  })
}

test('a press on the map says where a client is, and every server knows', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/herd' })
  const map = page.getByRole('img', { name: /^Map with/ })
  await page.getByText('0 clients, live').waitFor()
  const size = await map.boundingBox()

  await map.click({ position: { x: (size?.width ?? 0) * 0.75, y: (size?.height ?? 0) / 2 } })
  await page.getByLabel('Client', { exact: true }).fill('emu')
  const typed = Number(await page.getByLabel('Longitude').inputValue())
  await page.getByLabel('To', { exact: true }).selectOption('cid')
  await page.getByRole('button', { name: 'Say IAMAT' }).click()

  await until('Ann knows', () => client(drover, 'ann', 'emu'))
  const found = await client(drover, 'ann', 'emu')
  assert.equal(found?.server, 'Cid')
  assert.ok(Math.abs((found?.longitude ?? 0) - typed) < 0.001)
  assert.ok(typed > 30 && typed < 180, `pressed at ${typed}`)
  await page.getByRole('img', { name: 'Map with 1 client and 0 fences' }).waitFor()
  await rowOf(page, 'emu').getByText('Cid').waitFor()
})

test('the map is moved by arrow keys, and stays on the earth', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/herd' })
  const map = page.getByRole('img', { name: /^Map with/ })
  await page.getByText('0 clients, live').waitFor()
  const middle = async () => {
    const size = await map.boundingBox()
    const position = { x: (size?.width ?? 0) / 2, y: (size?.height ?? 0) / 2 }
    await map.click({ position })
    const found = [page.getByLabel('Longitude'), page.getByLabel('Latitude')]
    const [longitude, latitude] = await Promise.all(found.map((one) => one.inputValue()))
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    return { longitude: Number(longitude), latitude: Number(latitude) }
  }

  await page.getByRole('button', { name: 'Closer' }).press('Enter')
  await page.getByRole('button', { name: 'Closer' }).press('ArrowRight')
  await page.getByRole('button', { name: 'Closer' }).press('ArrowUp')
  const aside = await middle()
  for (let presses = 0; presses < 20; presses++)
    await page.getByRole('button', { name: 'Closer' }).press('ArrowDown')
  const south = await middle()

  assert.ok(aside.longitude > 10 && aside.latitude > 5, JSON.stringify(aside))
  assert.ok(Math.abs(south.latitude + 90) < 1, JSON.stringify(south))
})

test('clients that move are seen moving', async (t) => {
  const { drover, linePort } = await start(t)
  const page = await openPage(t, drover, { place: '/herd' })
  await page.getByText('0 clients, live').waitFor()

  await say(linePort, 'IAMAT kiwi +34.068930-118.445127 1621464827.959')
  await rowOf(page, 'kiwi').getByText('34.0689, -118.4451').waitFor()
  await say(linePort, 'IAMAT kiwi -1.5+2.25 1621464828.959')

  await rowOf(page, 'kiwi').getByText('-1.5000, 2.2500').waitFor()
})

test('a link is cut and restored from both its ends', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/herd' })

  await page.getByRole('button', { name: 'Cut the link Ann – Bob' }).click()
  await until('cut', async () => (await linksOf(drover, 'ann')).some(({ isCut }) => isCut))
  await until('gone at the other end', async () => {
    const links = await linksOf(drover, 'bob')
    return links.find(({ peer }) => peer === 'Ann')?.isLinked === false
  })
  await page.getByRole('img', { name: /Ann and Bob cut/ }).waitFor()
  await page.getByRole('button', { name: 'Restore the link Ann – Bob' }).click()

  await until('linked again', async () =>
    (await linksOf(drover, 'ann')).every(({ isLinked }) => isLinked),
  )
  await page.getByRole('img', { name: /Ann and Bob linked, Bob and Cid linked/ }).waitFor()
})

test('a fence tells who enters and who leaves, until it is removed', async (t) => {
  const { drover, linePort } = await start(t)
  const page = await openPage(t, drover, { place: '/herd' })
  const fences = async () =>
    (await drover.get<{ fences: { id: string; inside: number }[] }>('/parts/ann/v1/fences')).fences

  await page.getByRole('button', { name: 'New fence' }).click()
  await page.getByLabel('Name').fill('home')
  await page.getByLabel('Latitude').fill('10')
  await page.getByLabel('Longitude').fill('20')
  await page.getByLabel('Radius in km').fill('50')
  await page.getByRole('button', { name: 'Make' }).click()
  await until('a fence', async () => (await fences()).length === 1)
  await say(linePort, 'IAMAT kiwi +10.1+20.1 1621464827.959')
  await page.getByText('kiwi entered home').waitFor()
  await rowOf(page, '50 km around 10.000, 20.000')
    .getByRole('cell', { name: '1', exact: true })
    .first()
    .waitFor()
  await say(linePort, 'IAMAT kiwi +60+20 1621464829.959')
  await page.getByText('kiwi left home').waitFor()
  await page.getByRole('button', { name: 'Remove the fence home' }).click()

  await until('no fence', async () => (await fences()).length === 0)
  await page.getByText('There is none yet.').waitFor()
})

test('a fence may be a box, also one over 180°', async (t) => {
  const { drover, linePort } = await start(t)
  const page = await openPage(t, drover, { place: '/herd' })

  await page.getByRole('button', { name: 'New fence' }).click()
  await page.getByLabel('Name').fill('fiji')
  await page.getByLabel('Shape').selectOption('a box')
  for (const [side, degrees] of Object.entries({ South: -10, North: -20, West: 177, East: -178 }))
    await page.getByLabel(side, { exact: true }).fill(String(degrees))
  await page.getByRole('button', { name: 'Make' }).click()
  await page.getByText('South is -10, which is above north, -20.').waitFor()
  await page.getByLabel('South', { exact: true }).fill('-20')
  await page.getByLabel('North', { exact: true }).fill('-10')
  await page.getByRole('button', { name: 'Make' }).click()

  await rowOf(page, '-20.00, 177.00 to -10.00, -178.00').waitFor()
  await say(linePort, 'IAMAT kiwi -15+179.5 1621464827.959')
  await page.getByText('kiwi entered fiji').waitFor()
  await say(linePort, 'IAMAT kiwi -15-179.5 1621464828.959')
  await say(linePort, 'IAMAT kiwi -15+170 1621464829.959')
  await page.getByText('kiwi left fiji').waitFor()
})

test('a server that dies is told of, and the map comes from another one', async (t) => {
  const { drover } = await start(t)
  const page = await openPage(t, drover, { place: '/herd' })
  await page.getByText('0 clients, live').waitFor()

  await drover.post('/v1/services/ann/scale', { replicas: 0 })

  await page.getByText('no answer from ann').waitFor()
  await page.getByRole('img', { name: /Ann and Bob down/ }).waitFor()
  await until(
    'another server tells',
    async () => (await page.getByLabel('Seen by').inputValue()) === 'bob',
  )
  await page.getByText('0 clients, live').waitFor()
})
