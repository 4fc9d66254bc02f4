import { isIP } from 'node:net'
import { parseAddress } from '@drover/kernel'
import { type Backend, type Slot, serverName } from './slots.ts'

/** A command for the admin socket, and what it says when it took effect. */
export interface SlotCommand {
  readonly text: string
  isRight(said: string): boolean
}

/**
 * Returns the commands that bring HAProxy's slots from `before` to `after`: first those that take
 * servers out or change them, then those that bring servers in. Undefined where commands cannot do
 * it: HAProxy takes IP addresses only.
 */
export function slotCommands(
  before: readonly Backend[],
  after: readonly Backend[],
): SlotCommand[] | undefined {
  const changes = after.flatMap(({ name, slots }) => {
    const old = before.find((backend) => backend.name === name)?.slots ?? []
    return slots.map((slot, index) => ({
      server: `${name}/${serverName(index)}`,
      from: old[index],
      to: slot,
    }))
  })
  const commands: SlotCommand[] = []
  for (const { server, from, to } of changes) {
    const own = changeOf(server, from, to)
    if (own === undefined) return undefined
    commands.push(...own)
  }
  return commands
}

function changeOf(server: string, from: Slot | undefined, to: Slot): SlotCommand[] | undefined {
  const commands: SlotCommand[] = []
  const set = (words: string, isRight: (said: string) => boolean = isSilent) =>
    commands.push({ text: `set server ${server} ${words}`, isRight })
  const isMoved = to.serving && from?.address !== to.address
  if (from?.serving && (!to.serving || isMoved)) set('state maint')
  if (isMoved) {
    const { host, port } = parseAddress(to.address)
    if (isIP(host) === 0) return undefined
    set(`addr ${host} port ${port}`, isAddressSet)
  }
  if (to.serving && from?.weight !== to.weight) set(`weight ${to.weight}`)
  if (to.serving && (!from?.serving || isMoved)) set('state ready')
  return commands
}

function isSilent(said: string): boolean {
  return said === ''
}

function isAddressSet(said: string): boolean {
  return /^(?:IP changed|no need to change|port changed)/.test(said)
}
