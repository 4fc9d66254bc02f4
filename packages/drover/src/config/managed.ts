import type { Config } from './schema.ts'

/** The service behind the management API's routes; no service of a user can have its name. */
export const manageService = 'drover.manage'

/** The service whose replicas the management API changes: the one named, or the only one. */
export function managedService(config: Config): string | undefined {
  const ours = Object.entries(config.services).filter(([, service]) => !service.addresses)
  return config.manage?.service ?? ours[0]?.[0]
}
