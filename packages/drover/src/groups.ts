import type { Group, GroupEvent, GroupSpec, Supervisor } from '@drover/supervisor'

/** What groups need from the system around them. */
export interface GroupsParts {
  readonly supervisor: Supervisor
  readonly onEvent: (event: GroupEvent) => void
  /** Says how many replicas a service should have. */
  readonly expect: (service: string, replicas: number) => void
}

/** The groups of replicas that run, one for each service that has replicas of its own. */
export class Groups {
  /** By service; those on their way out are no longer among them. */
  readonly running = new Map<string, Group>()
  readonly #ending = new Map<string, Promise<void>>()
  readonly #parts: GroupsParts

  constructor(parts: GroupsParts) {
    this.#parts = parts
  }

  /** Starts a group; one of the same name that is still ending is waited for. */
  async open(spec: GroupSpec): Promise<void> {
    await this.#ending.get(spec.name)
    const { supervisor, onEvent, expect } = this.#parts
    const group = supervisor.openGroup(spec, onEvent)
    this.running.set(spec.name, group)
    expect(spec.name, spec.replicas)
    await group.start()
  }

  /**
   * Starts the group of `spec`, or moves the one that runs to it. `asked` is how many replicas the
   * configuration asked for before: while it asks for no other number, the number that /add, `drover
   * scale` or autoscaling made stays.
   */
  async follow(spec: GroupSpec, asked: number | undefined): Promise<void> {
    const group = this.running.get(spec.name)
    if (!group) return this.open(spec)
    const replicas = asked === spec.replicas ? group.spec.replicas : spec.replicas
    return group.apply({ ...spec, replicas })
  }

  /** Lets the replicas of a group drain and stops them; resolves when none is left. */
  async end(name: string): Promise<void> {
    const ended = this.running.get(name)?.stop() ?? Promise.resolve()
    this.running.delete(name)
    this.#ending.set(name, ended)
    try {
      await ended
    } finally {
      this.#ending.delete(name)
    }
  }
}
