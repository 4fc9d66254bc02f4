import { formatAddress, parseAddress } from '@drover/kernel'
import { fault } from '../errors.ts'
import { checkName, timeDefaults } from '../options.ts'
import type { TopicOptions } from '../queue-engine.ts'
import type { Handler } from '../wire/link.ts'
import type { Manager } from './manager.ts'

interface MemberCall {
  readonly topic: string
  readonly group: string
  readonly member: string
  readonly sessionMs?: number
  readonly partition?: number
}

// biome-ignore lint/suspicious/noExplicitAny: each method checks what it needs of its parameters
type Method = (manager: Manager, params: any) => unknown

/** Everything that the manager can be asked. */
const methods: Readonly<Record<string, Method>> = {
  metadata: (manager) => manager.metadata(),
  'topic.create': (manager, { topic, options = {} }: { topic: string; options?: TopicOptions }) =>
    manager.createTopic(topic, options),
  'topic.grow': (manager, { topic, count }) => manager.addPartitions(topic, count),
  'topic.delete': (manager, { topic }) => manager.deleteTopic(topic),
  'broker.list': (manager) => manager.brokerInfos(),
  'broker.add': (manager, { name, address }) => manager.addBroker(name, addressIn(address)),
  'broker.remove': (manager, { name }) => manager.removeBroker(name),
  'broker.test': (manager, { name }) => manager.testBroker(name),
  join: (manager, call: MemberCall) => {
    const { topic, group, member, sessionMs = timeDefaults.sessionMs } = call
    checkName('group', group)
    checkName('member', member)
    if (!(sessionMs >= 100 && sessionMs <= 3_600_000))
      throw fault('OPTION_INVALID', `sessionMs is ${sessionMs}, not 100 ms to an hour`)
    manager.topic(topic)
    return manager.groups.join(topic, group, member, sessionMs)
  },
  heartbeat: (manager, { topic, group, member }: MemberCall) =>
    manager.groups.heartbeat(topic, group, member),
  leave: (manager, { topic, group, member }: MemberCall) =>
    manager.groups.leave(topic, group, member),
  'member.check': (manager, { topic, group, member, partition }: MemberCall) =>
    manager.groups.check(topic, group, member, partition ?? -1),
  members: (manager, { topic, group }: MemberCall) => manager.groups.members(topic, group),
}

/** Returns the manager's end of a link. */
export function createManagerHandler(manager: Manager): Handler {
  return async (method, params) => {
    const run = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (!run) throw fault('FRAME_INVALID', `no method ${method}`)
    checkParams(params)
    return { result: await run(manager, params) }
  }
}

/** Throws OPTION_INVALID for what is no HOST:PORT. */
function addressIn(value: unknown): string | undefined {
  if (value === undefined) return undefined
  try {
    return formatAddress(parseAddress(String(value)))
  } catch (cause) {
    throw fault('OPTION_INVALID', `address: ${(cause as Error).message}`, { cause })
  }
}

/** Throws NAME_INVALID and OPTION_INVALID for parameters of the wrong type. */
function checkParams(params: object): void {
  const given = params as Readonly<Record<string, unknown>>
  for (const name of ['topic', 'group', 'member', 'name'] as const)
    if (given[name] !== undefined && typeof given[name] !== 'string')
      throw fault('NAME_INVALID', `${name} is not a text`)
  const { options = {} } = given
  if (typeof options !== 'object' || options === null)
    throw fault('OPTION_INVALID', 'the options of a topic are an object')
}
