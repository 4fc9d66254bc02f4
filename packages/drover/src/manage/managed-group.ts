import type { Group } from '@drover/supervisor'
import type { Managed } from './routes.ts'

/** Returns a group as the classroom API sees it: those on their way out have gone already. */
export function managedGroup(group: Group): Managed {
  return {
    names: () =>
      group
        .replicas()
        .filter(({ state }) => state === 'starting' || state === 'running')
        .map(({ name }) => name),
    add: (count, names) => group.add(count, names),
    remove: (count, names) => group.remove(count, names),
  }
}
