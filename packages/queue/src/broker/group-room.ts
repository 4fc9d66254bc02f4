import { fault } from '../errors.ts'

/** Groups of one kind in one partition: their state is in memory and in each snapshot. */
const groupsMax = 1_000

/** Throws OPTION_INVALID when a partition has as many groups as it may. */
export function checkRoomForGroup(groups: number): void {
  if (groups >= groupsMax) throw fault('OPTION_INVALID', `there are ${groupsMax} groups already`)
}
