const width = 96
const height = 22

/** Numbers as a small line, without axes; the newest at the right. */
export function Sparkline({
  values,
  room,
}: {
  readonly values: readonly number[]
  readonly room: number
}) {
  const most = Math.max(1, ...values)
  const step = width / Math.max(1, room - 1)
  const points = values.map((value, index) => {
    const x = width - (values.length - 1 - index) * step
    return `${x.toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`
  })
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  )
}
