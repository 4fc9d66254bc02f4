import type { Random } from '@drover/kernel'
import type { Instant } from './protocol/decimal.ts'
import type { Position } from './protocol/location.ts'
import { distanceKm } from './state/geo.ts'

const kmPerDegree = 111.195
/** At this pace a circle is crossed in about seven minutes, however large it is. */
const crossingSeconds = 400
/** The most that a walker turns in one step, in radians. */
const turnMax = 0.5
/** A map shows no more of the poles. */
const latitudeMax = 80

/** One client that walks: straight on, turning a little, and back at the edge of its circle. */
export class Walker {
  readonly #name: string
  readonly #center: Position
  readonly #withinKm: number
  readonly #kmPerSecond: number
  readonly #random: Random
  readonly #at: Position
  #heading: number

  /** Begins anywhere in the circle, towards anywhere. */
  constructor(name: string, center: Position, withinKm: number, random: Random) {
    this.#name = name
    this.#center = center
    this.#withinKm = withinKm
    this.#random = random
    this.#heading = random.next() * 2 * Math.PI
    this.#kmPerSecond = ((2 * withinKm) / crossingSeconds) * (0.25 + random.next())
    this.#at = { ...center }
    this.#go(withinKm * Math.sqrt(random.next()))
    this.#heading = random.next() * 2 * Math.PI
  }

  /** Walks on for so many seconds, and returns what it says then: a line of the protocol. */
  walk(seconds: number, now: Instant): string {
    this.#heading += (this.#random.next() - 0.5) * 2 * turnMax
    this.#go(this.#kmPerSecond * seconds)
    const { latitude, longitude } = this.#at
    const place = signed(latitude, 2) + signed(longitude, 3)
    const nanos = String(now.nanos).padStart(9, '0')
    return `IAMAT ${this.#name} ${place} ${now.seconds}.${nanos}\n`
  }

  #go(km: number): void {
    const { latitude, longitude } = this.#at
    const north = latitude + (Math.cos(this.#heading) * km) / kmPerDegree
    const narrow = Math.max(0.1, Math.cos((latitude * Math.PI) / 180))
    const east = longitude + (Math.sin(this.#heading) * km) / kmPerDegree / narrow
    this.#at.latitude = Math.max(-latitudeMax, Math.min(latitudeMax, north))
    this.#at.longitude = east - 360 * Math.floor((east + 180) / 360)
    if (this.#isInside() && Math.abs(north) < latitudeMax) return
    this.#heading += Math.PI + (this.#random.next() - 0.5)
    // A step over the edge is not taken; at the begin there is nowhere to go back to.
    if (!this.#isInside()) Object.assign(this.#at, { latitude, longitude })
  }

  #isInside(): boolean {
    const { latitude, longitude } = this.#at
    const center = this.#center
    return distanceKm(center.latitude, center.longitude, latitude, longitude) <= this.#withinKm
  }
}

function signed(degrees: number, digits: number): string {
  const text = Math.abs(degrees)
    .toFixed(6)
    .padStart(digits + 7, '0')
  return `${degrees < 0 ? '-' : '+'}${text}`
}
