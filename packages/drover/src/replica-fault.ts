import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { type Address, describeError } from '@drover/kernel'
import type { FaultBody } from './admin/schemas.ts'
import { describeFault, isNoFault } from './describe-fault.ts'
import { fault } from './errors.ts'
import { replicaId } from './services.ts'
import type { System } from './system.ts'

/** A replica that does not take up a fault within this many ms is silent. */
const answerMsMax = 5_000
/** What a replica may say of its fault. */
const answerBytesMax = 4_096

/**
 * Has a replica answer late or with 500, by its own POST /fault; a fault of nothing ends that. The
 * replica must answer 200 and what is set. Throws FAULT_UNSUPPORTED when it has no such thing,
 * REPLICA_SILENT after 5 s, UNKNOWN_SERVICE and REPLICA_UNKNOWN.
 */
export async function setReplicaFault(
  system: System,
  service: string,
  replica: string,
  wish: FaultBody,
): Promise<void> {
  const target = await findReplica(system, service, replica)
  const who = `${service}: ${target.name}`
  const { status, text } = await post(who, target, JSON.stringify(wish))
  if (status !== 200 || !isSet(wish, text)) {
    const message = `${who} takes no faults: it answered POST /fault with ${status}, not as the sample server does`
    throw fault('FAULT_UNSUPPORTED', message)
  }
  system.events.record({
    level: 'notice',
    kind: isNoFault(wish) ? 'drover.fault.ended' : 'drover.fault.set',
    service,
    replica: target.name,
    message: `${who} ${describeFault(wish)}`,
  })
}

async function findReplica(system: System, service: string, replica: string) {
  const id = replicaId(system, service, replica)
  const { services } = await system.balancer.status()
  const replicas = services.find(({ name }) => name === service)?.replicas ?? []
  const found = replicas.find((one) => one.id === id)
  if (found) return found
  if (system.groups.has(service))
    throw fault('REPLICA_SILENT', `${service}: ${replica} is only being started`)
  const names = replicas.map(({ name }) => name).join(', ') || 'none'
  throw fault('REPLICA_UNKNOWN', `${service} has no replica "${replica}"; there are ${names}`)
}

async function post(who: string, { host, port }: Address, body: string) {
  const sent = request({
    ...{ host, port, method: 'POST', path: '/fault', agent: false },
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    signal: AbortSignal.timeout(answerMsMax),
  })
  // It is told by what is awaited; one that comes later is nobody's.
  sent.on('error', () => {})
  try {
    sent.end(body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    return { status: answer.statusCode ?? 0, text: await beginningOf(answer) }
  } catch (cause) {
    throw fault('REPLICA_SILENT', `${who} did not answer: ${describeError(cause)}`, { cause })
  } finally {
    sent.destroy()
  }
}

async function beginningOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of answer.setEncoding('utf8')) {
    text += part
    if (text.length > answerBytesMax) break
  }
  return text
}

/** A server that says 200 to everything has set nothing. */
function isSet(wish: FaultBody, text: string): boolean {
  try {
    const said = JSON.parse(text) as Partial<FaultBody> | null
    return (
      said?.delayMs === wish.delayMs &&
      said.failShare === wish.failShare &&
      said.heartbeat === wish.heartbeat
    )
  } catch {
    // Not JSON, so not an answer to this.
    return false
  }
}
