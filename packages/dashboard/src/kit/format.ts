const seconds = { minute: 60, hour: 3_600, day: 86_400 } as const

/** `0`, `0.4`, `12`, `1.2 k`, `3.4 M`: three digits at the most. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 1e9) return `${short(value / 1e9)} G`
  if (size >= 1e6) return `${short(value / 1e6)} M`
  if (size >= 1e4) return `${short(value / 1e3)} k`
  return Number.isInteger(value) ? String(value) : short(value)
}

function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return trim(value.toFixed(1))
  return trim(value.toFixed(size >= 1 ? 1 : 2))
}

const trim = (text: string): string => text.replace(/\.0+$/, '').replace(/(\.\d*?)0+$/, '$1')

/** `512 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : short(value)} ${units[unit]}`
}

/** A duration given in seconds: `340 µs`, `1.2 ms`, `2.5 s`; `–` for none. */
export function formatSeconds(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  if (value < 0.001) return `${short(value * 1e6)} µs`
  if (value < 1) return `${short(value * 1e3)} ms`
  return `${short(value)} s`
}

/** How long ago, or how long: `4 s`, `12 min`, `3 h 5 min`, `2 d`. */
export function formatSpan(durationMs: number): string {
  const total = Math.max(0, Math.floor(durationMs / 1_000))
  if (total < seconds.minute) return `${total} s`
  if (total < seconds.hour) return `${Math.floor(total / seconds.minute)} min`
  const hours = Math.floor(total / seconds.hour)
  const minutes = Math.floor((total % seconds.hour) / seconds.minute)
  if (total < seconds.day) return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`
  return `${Math.floor(total / seconds.day)} d ${hours % 24} h`
}

/** `42 %`, `3.4 %`, `<0.1 %`. */
export function formatShare(share: number): string {
  const percent = share * 100
  if (percent > 0 && percent < 0.1) return '<0.1 %'
  return `${percent >= 10 || percent === 0 ? percent.toFixed(0) : trim(percent.toFixed(1))} %`
}

const timeOfDay = new Intl.DateTimeFormat(undefined, {
  ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
})

/** The time of day in the reader's own zone, to the second. */
export function formatTime(atMs: number): string {
  return timeOfDay.format(atMs)
}

/** `1 replica`, `3 replicas`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
