import type { ListenerPlan, Plan } from '../../plan.ts'
import type { SideFile } from './answer-files.ts'
import { renderBackend } from './render-backend.ts'
import { renderFrontend } from './render-frontend.ts'
import type { HaproxySetting } from './setting.ts'
import { section, word } from './words.ts'

/** Part of a buffer that headers which we add may use. */
const rewriteBytes = 1_024

/** Returns the configuration of HAProxy for `plan`. The plan must have been checked. */
export function renderHaproxy(plan: Plan, setting: HaproxySetting): string {
  const lines = [
    ...section('global', globalLines(plan, setting)),
    ...plan.listeners.flatMap((listener) => renderFrontend(listener, plan, setting)),
    ...setting.backends.flatMap((backend) => {
      const service = plan.services.find(({ name }) => name === backend.service)
      return service ? renderBackend(backend, service, setting) : []
    }),
  ]
  return `${lines.join('\n')}\n`
}

function globalLines({ listeners }: Plan, setting: HaproxySetting): string[] {
  const { folder, threads, generation, connectionsMax } = setting
  const headBytes = Math.max(1_024, ...listeners.map(({ limits }) => limits.headBytesMax))
  const headers = Math.max(1, ...listeners.map(({ limits }) => limits.headersMax))
  return [
    `description drover-${generation}`,
    `stats socket ${word(`${folder}/admin.sock`)} mode 600 level admin expose-fd listeners`,
    `maxconn ${connectionsMax}`,
    ...(threads === undefined ? [] : [`nbthread ${threads}`]),
    // Old workers end what they have after a reload, but not for ever.
    'hard-stop-after 1h',
    `tune.bufsize ${headBytes + rewriteBytes}`,
    `tune.maxrewrite ${rewriteBytes}`,
    `tune.http.maxhdr ${headers}`,
    'ssl-default-bind-options ssl-min-ver TLSv1.2',
  ]
}

/** Returns the certificates of `plan`, and the lists that say which name gets which. */
export function certificateFiles({ listeners }: Plan, folder: string): SideFile[] {
  return listeners.flatMap((listener) => certificatesOf(listener, folder))
}

function certificatesOf({ name, tls }: ListenerPlan, folder: string): SideFile[] {
  if (tls === undefined) return []
  const fileOf = (index: number) => `${folder}/${name}-${index}.pem`
  const files = tls.certificates.map(({ certificate, key }, index) => ({
    file: fileOf(index),
    text: `${certificate.trimEnd()}\n${key}`,
  }))
  // The first line of the list is the default, for names that nobody has.
  const lines = tls.certificates.map(({ names }, index) =>
    [fileOf(index), ...names].join(' ').trimEnd(),
  )
  return [...files, { file: `${folder}/${name}.crtlist`, text: `${lines.join('\n')}\n` }]
}
