import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { silentLog, systemClock } from '@drover/kernel'
import { Certificates } from '../src/certificates.ts'
import { defaultListener } from '../src/options.ts'
import { makeCertificate } from './make-certificate.ts'

const dayMs = 86_400_000

describe('certificates', () => {
  let folder = ''
  const file = (name: string) => join(folder, name)
  /** Writes `<base>.pem` and `<base>.key`. */
  const write = (base: string, names: readonly string[], days = 30) => {
    const made = makeCertificate(names, days)
    writeFileSync(file(`${base}.pem`), made.certificate)
    writeFileSync(file(`${base}.key`), made.key)
  }
  const listenerOf = (base: string) =>
    defaultListener('front', {
      tls: {
        certificates: [{ certificateFile: file(`${base}.pem`), keyFile: file(`${base}.key`) }],
        http2: true,
      },
    })

  /** Follows `base`'s files; `next` resolves at the next change taken up, `trouble` at the next not. */
  async function follow(base: string, laterMs = 0) {
    let changed = () => {}
    let failed = (_reason: string) => {}
    const certificates = new Certificates({
      clock: { ...systemClock, now: () => Date.now() + laterMs },
      log: silentLog,
      onChange: () => changed(),
      onTrouble: (reason) => failed(reason),
    })
    const listeners = [listenerOf(base)]
    certificates.follow(listeners, await certificates.load(listeners))
    const next = () =>
      new Promise<void>((resolve) => {
        changed = resolve
      })
    const trouble = () =>
      new Promise<string>((resolve) => {
        failed = resolve
      })
    const names = () => certificates.plans.get('front')?.certificates[0]?.names
    return { certificates, next, trouble, names }
  }

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'drover-certificates-'))
    write('one', ['one.test', '*.one.test'])
    write('two', ['two.test'])
  })
  after(() => rmSync(folder, { recursive: true }))

  test('are loaded with the names that they list', async () => {
    const { certificates, names } = await follow('one')

    assert.deepEqual(names(), ['one.test', '*.one.test'])
    assert.match(certificates.plans.get('front')?.certificates[0]?.key ?? '', /PRIVATE KEY/)
    certificates.stop()
  })

  const refusals: [string, () => string, () => string, RegExp][] = [
    ['a missing file', () => file('none.pem'), () => file('one.key'), /none\.pem cannot be read/],
    ['a key of another', () => file('one.pem'), () => file('two.key'), /one\.pem cannot be used/],
    ['no certificate', () => file('one.key'), () => file('one.key'), /one\.key cannot be used/],
  ]
  for (const [what, certificateFile, keyFile, message] of refusals)
    test(`refuse ${what}`, async () => {
      const { certificates } = await follow('one')
      const tls = {
        certificates: [{ certificateFile: certificateFile(), keyFile: keyFile() }],
        http2: true,
      }

      const loaded = certificates.load([defaultListener('front', { tls })])

      await assert.rejects(loaded, { code: 'PLAN_REFUSED', message })
      certificates.stop()
    })

  test('are taken up when their files change', async () => {
    write('changing', ['before.test'])
    const { certificates, next, names } = await follow('changing')
    const taken = next()
    write('fresh', ['after.test'])

    await rename(file('fresh.key'), file('changing.key'))
    await rename(file('fresh.pem'), file('changing.pem'))
    await taken

    assert.deepEqual(names(), ['after.test'])
    certificates.stop()
  })

  test('stay as they are when a new one does not fit its key', async () => {
    write('kept', ['kept.test'])
    const { certificates, trouble, names } = await follow('kept')
    const told = trouble()

    await writeFile(file('kept.pem'), 'garbage')

    assert.match(await told, /listener front keeps its old certificate: .*kept\.pem cannot be used/)
    assert.deepEqual(names(), ['kept.test'])
    certificates.stop()
  })

  test('are taken up beside a log that is written without end', { timeout: 20_000 }, async () => {
    write('busy', ['before.test'])
    const { certificates, next, names } = await follow('busy')
    const writing = setInterval(() => writeFileSync(file('access.log'), 'a line'), 20)
    const taken = next()
    write('renewed', ['after.test'])

    await rename(file('renewed.key'), file('busy.key'))
    await rename(file('renewed.pem'), file('busy.pem'))
    await taken

    clearInterval(writing)
    assert.deepEqual(names(), ['after.test'])
    certificates.stop()
  })

  test('that are bad in another way than before are told of again', async () => {
    write('bad', ['bad.test'])
    const { certificates, trouble } = await follow('bad')
    const told: string[] = []
    const first = trouble()
    await writeFile(file('bad.pem'), 'garbage')
    told.push(await first)

    const second = trouble()
    await writeFile(file('bad.pem'), 'garbage')
    await writeFile(file('bad.key'), 'garbage')
    await rename(file('bad.pem'), file('gone.pem'))
    told.push(await second)

    assert.match(told[0] ?? '', /bad\.pem cannot be used/)
    assert.match(told[1] ?? '', /bad\.pem cannot be read/)
    certificates.stop()
  })

  test('stay as they are when a new one is over already', async () => {
    write('dated', ['dated.test'], 3_650)
    const { certificates, trouble, names } = await follow('dated', 90 * dayMs)
    const told = trouble()
    write('over', ['over.test'])

    await rename(file('over.key'), file('dated.key'))
    await rename(file('over.pem'), file('dated.pem'))

    assert.match(await told, /keeps its old certificate: .*CN=over\.test is over since/)
    assert.deepEqual(names(), ['dated.test'])
    certificates.stop()
  })
})
