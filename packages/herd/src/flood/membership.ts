import type { Member } from './messages.ts'

/** The most servers that are remembered. */
const membersMax = 10_000

/** The servers of the herd, as far as this one was told, and the choice of neighbours among them. */
export class Membership {
  readonly #members = new Map<string, Member>()

  /** Takes in what is said of a server; true when it is news. */
  learn(member: Member): boolean {
    const known = this.#members.get(member.name)
    if (known && !isNewer(member, known)) return false
    if (!known && this.#members.size >= membersMax) return false
    this.#members.set(member.name, member)
    return true
  }

  all(): Member[] {
    return [...this.#members.values()]
  }

  /** Those that have not left. */
  present(): Member[] {
    return this.all().filter(({ hasLeft }) => !hasLeft)
  }

  find(name: string): Member | undefined {
    return this.#members.get(name)
  }

  /**
   * Returns whom `self` should dial: in the circle of names the next one, the 2nd, the 4th, the 8th
   * …, `degree` of them. Everyone's next one alone joins all; the others keep the paths short
   * (the fingers of Chord: Stoica et al., 2001).
   */
  targets(self: string, degree: number, isReachable: (name: string) => boolean): Member[] {
    const circle = this.present()
      .filter(({ name }) => name !== self && isReachable(name))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
    const after = circle.findIndex(({ name }) => name > self)
    const start = Math.max(0, after)
    const targets = new Set<Member>()
    for (let step = 1; targets.size < degree && step <= circle.length; step *= 2) {
      const member = circle[(start + step - 1) % circle.length]
      if (member) targets.add(member)
    }
    return [...targets]
  }
}

function isNewer(member: Member, known: Member): boolean {
  if (member.epoch !== known.epoch) return member.epoch > known.epoch
  return member.hasLeft && !known.hasLeft
}
