import { generateKeyPairSync, sign } from 'node:crypto'
import { isIP } from 'node:net'

/** PEM text of a certificate and its key. */
export interface MadeCertificate {
  readonly certificate: string
  readonly key: string
}

/**
 * Returns a self-signed certificate (ECDSA on P-256) for host names and IPv4 addresses, valid from
 * yesterday for `days`. Written out byte by byte, so that tests need no other program.
 */
export function makeCertificate(names: readonly string[], days = 30): MadeCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const fromMs = Date.now() - 86_400_000
  const algorithm = sequence(objectId(ecdsaWithSha256))
  const subject = sequence(set(sequence(objectId(commonName), text(names[0] ?? ''))))
  const toSign = sequence(
    explicit(0, integer(2)),
    integer(Math.floor(Math.random() * 0x7fff_ffff)),
    algorithm,
    subject,
    sequence(time(fromMs), time(fromMs + days * 86_400_000)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(alternativeNames(names))),
  )
  const signature = sign('sha256', toSign, privateKey)
  const whole = sequence(toSign, algorithm, der(0x03, Buffer.from([0]), signature))
  const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

const ecdsaWithSha256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]
const commonName = [0x55, 0x04, 0x03]
const subjectAltName = [0x55, 0x1d, 0x11]

/** A value of DER: tag, length (short form, or long with two bytes), content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts)
const set = (...parts: readonly Buffer[]) => der(0x31, ...parts)
const explicit = (number: number, part: Buffer) => der(0xa0 + number, part)
const objectId = (bytes: readonly number[]) => der(0x06, Buffer.from(bytes))
const text = (value: string) => der(0x0c, Buffer.from(value))

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32BE(value, 1)
  const first = bytes.findIndex((byte, index) => byte !== 0 || index === 4)
  const needsSign = (bytes[first] ?? 0) >= 0x80
  return der(0x02, bytes.subarray(needsSign ? first - 1 : first))
}

/** GeneralizedTime, as 20260131235959Z. */
function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replaceAll(/\D/g, '').slice(0, 14)
  return der(0x18, Buffer.from(`${digits}Z`))
}

function alternativeNames(names: readonly string[]): Buffer {
  const listed = names.map((name) =>
    isIP(name) === 4
      ? der(0x87, Buffer.from(name.split('.').map(Number)))
      : der(0x82, Buffer.from(name)),
  )
  return sequence(objectId(subjectAltName), der(0x04, sequence(...listed)))
}
