// A replica as plain as can be: any program that listens on PORT can be one, in any language.
import { createServer } from 'node:http'

const port = Number(process.env.PORT ?? 5000)
const host = process.env.HOST ?? '0.0.0.0'
const id = process.env.SERVER_ID ?? '0'

const home = JSON.stringify({ message: `Hello from Server: ${id}`, status: 'successful' })

const server = createServer((request, response) => {
  const path = request.url?.split('?', 1)[0]
  if (path === '/fault') onFault(request, response)
  else if (isFaulty && (path !== '/heartbeat' || fault.heartbeat))
    misbehave(request, response, path)
  else serve(request, response, path)
})

function serve(request, response, path) {
  if (request.method !== 'GET' && request.method !== 'HEAD') answer(response, 404)
  else if (path === '/home') answer(response, 200, home)
  else if (path === '/heartbeat') answer(response, 200)
  else answer(response, 404)
}

function answer(response, status, body = '') {
  if (body !== '') response.setHeader('content-type', 'application/json')
  // Told to end: this connection brings no more requests.
  if (!server.listening) response.setHeader('connection', 'close')
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

// From here to the next line of dashes: trouble to try things with. A replica of yours needs none.
// ------------------------------------------------------------------------------------------------
const none = { delayMs: 0, failShare: 0, heartbeat: false }
let fault = none
let isFaulty = false

/** Answers late, or with 500, as the fault has it. */
function misbehave(request, response, path) {
  const isFailing = Math.random() < fault.failShare
  const act = () => (isFailing ? answer(response, 500) : serve(request, response, path))
  if (fault.delayMs === 0) return act()
  const timer = setTimeout(act, fault.delayMs)
  response.once('close', () => clearTimeout(timer))
}

/** GET tells the fault, POST sets it: {"delayMs": 0-60000, "failShare": 0-1, "heartbeat": true}; {} ends it. */
function onFault(request, response) {
  // Clients behind a front door and pages of other sites have no business here.
  const isStranger = ['x-forwarded-for', 'origin'].some((name) => name in request.headers)
  if (isStranger) return answer(response, 403)
  if (request.method === 'GET') return answer(response, 200, JSON.stringify(fault))
  if (request.method !== 'POST') return answer(response, 405)
  let text = ''
  request.setEncoding('utf8').on('data', (part) => {
    if (text.length < 1_000) text += part
  })
  request.on('end', () => {
    const { problem, ...wish } = readFault(text)
    if (problem) return answer(response, 400, JSON.stringify({ message: problem }))
    fault = wish
    isFaulty = fault.delayMs > 0 || fault.failShare > 0
    answer(response, 200, JSON.stringify(fault))
  })
}

function readFault(text) {
  const within = (value, most) => typeof value === 'number' && value >= 0 && value <= most
  try {
    const wish = JSON.parse(text)
    const unknown = Object.keys(wish).find((key) => !(key in none))
    if (wish?.constructor !== Object) return { problem: 'expected a JSON object' }
    if (unknown)
      return { problem: `${unknown}: unknown; known are ${Object.keys(none).join(', ')}` }
    const { delayMs, failShare, heartbeat } = { ...none, ...wish }
    if (!within(delayMs, 60_000)) return { problem: 'delayMs: expected a number from 0 to 60000' }
    if (!within(failShare, 1)) return { problem: 'failShare: expected a number from 0 to 1' }
    if (typeof heartbeat !== 'boolean') return { problem: 'heartbeat: expected true or false' }
    return { delayMs, failShare, heartbeat }
  } catch {
    return { problem: 'expected a JSON object' }
  }
}
// ------------------------------------------------------------------------------------------------

server.on('error', (error) => {
  console.error(`cannot listen on ${host}:${port}: ${error.message}`)
  process.exit(1)
})

server.listen(port, host, () => console.log(`server ${id} listens on ${host}:${port}`))

// What is under way is finished; new connections are refused, idle ones closed.
for (const signal of ['SIGTERM', 'SIGINT'])
  process.once(signal, () => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
  })
