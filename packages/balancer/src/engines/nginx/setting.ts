import type { Plan } from '../../plan.ts'
import { isAtLeast } from '../program.ts'
import type { NginxAbilities } from './support.ts'
import { word } from './words.ts'

/** What a configuration is made for, beside the plan. */
export interface NginxSetting {
  readonly abilities: NginxAbilities
  /** The private folder; sockets, logs and certificates lie in it. */
  readonly folder: string
  /** The real port of each listener. */
  readonly ports: Readonly<Record<string, number>>
  readonly workers: number | 'auto'
  /** Told on the status socket, to see which configuration answers. */
  readonly generation: number
}

/** Since 1.25.1 HTTP/2 is a directive of its own. */
export function hasHttp2Directive({ abilities }: NginxSetting): boolean {
  return isAtLeast(abilities.version, [1, 25, 1])
}

/** Returns the lines that name the files of a listener's certificate. */
export function certificateLines(listener: string, index: number, folder: string): string[] {
  const base = certificateBase(listener, index, folder)
  return [
    `ssl_certificate ${word(`${base}.pem`)};`,
    `ssl_certificate_key ${word(`${base}.key`)};`,
    'ssl_protocols TLSv1.2 TLSv1.3;',
    'ssl_session_cache shared:drover:4m;',
    'ssl_prefer_server_ciphers off;',
  ]
}

/** A file that the configuration names. */
export interface CertificateFile {
  readonly file: string
  readonly text: string
}

/** Returns the certificates and keys of `plan` with the files that `certificateLines` names. */
export function certificateFiles(plan: Plan, folder: string): CertificateFile[] {
  return plan.listeners.flatMap(({ name, tls }) =>
    (tls?.certificates ?? []).flatMap(({ certificate, key }, index) => {
      const base = certificateBase(name, index, folder)
      return [
        { file: `${base}.pem`, text: certificate },
        { file: `${base}.key`, text: key },
      ]
    }),
  )
}

function certificateBase(listener: string, index: number, folder: string): string {
  return `${folder}/${listener}-${index}`
}
