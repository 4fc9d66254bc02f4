/**
 * Shares `partitions` among `members` so that the shares differ by one at the most, and takes from
 * nobody more than that needs. Returns the member of each partition; both lists must be in a fixed
 * order, so that the same input gives the same shares.
 */
export function assign(
  partitions: readonly number[],
  members: readonly string[],
  before: ReadonlyMap<number, string>,
): Map<number, string> {
  const shares = new Map<string, number[]>(members.map((member) => [member, []]))
  const homeless: number[] = []
  for (const partition of partitions) {
    const share = shares.get(before.get(partition) ?? '')
    if (share) share.push(partition)
    else homeless.push(partition)
  }
  if (members.length === 0) return new Map()
  // Those who have most keep the larger shares, so that fewest partitions move.
  const byLoad = [...shares.values()].sort((one, other) => other.length - one.length)
  const least = Math.floor(partitions.length / members.length)
  const larger = partitions.length % members.length
  const quotaOf = (place: number) => least + (place < larger ? 1 : 0)
  for (const [place, share] of byLoad.entries()) homeless.push(...share.splice(quotaOf(place)))
  for (const [place, share] of byLoad.entries())
    share.push(...homeless.splice(0, quotaOf(place) - share.length))
  return new Map([...shares].flatMap(([member, share]) => share.map((one) => [one, member])))
}
