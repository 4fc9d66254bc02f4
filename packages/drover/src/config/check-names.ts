import { type Found, nearest } from '@drover/kernel'
import type { Config } from './schema.ts'

/** Returns the finding that `name` is no service, with the nearest that is; nothing when it is one. */
export function checkServiceName(
  path: readonly string[],
  name: string,
  config: Pick<Config, 'services'>,
): Found[] {
  const names = Object.keys(config.services)
  if (names.includes(name)) return []
  const near = nearest(name, names)
  const hint = near === undefined ? `services are ${names.join(', ')}` : `did you mean "${near}"?`
  return [{ path, message: `no service is called "${name}"; ${hint}` }]
}

/** Returns the finding that `name` cannot be the name of a service; nothing when it can. */
export function checkName(name: string): Found[] {
  if (/^[a-z][a-z0-9-]{0,39}$/.test(name)) return []
  const message =
    'a service is named by small letters, digits and hyphens, a letter first, at most 40'
  return [{ path: ['services', name], message }]
}
