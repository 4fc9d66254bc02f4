import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { Claim } from './lab/claim.ts'
import { lossesOf, lostOf, startCrowd, untilReplicasAnswer } from './lab/crowd.ts'
import { replicaWords, runDrover, startConfigured } from './lab/drover.ts'
import type { Lab } from './lab/lab.ts'
import { freePorts } from './lab/ports.ts'
import { until } from './lab/until.ts'

const restarts = 3
const clients = 32
const socketCount = 100
const pingEveryMs = 200

/** Rolling restarts of one service under load, beside WebSockets of another. */
export const doorRolling: Claim = {
  name: 'door-rolling',
  about: 'rolling restarts under load: lost requests, and WebSockets of another service dropped',
  async run(lab) {
    const [port = 0, admin = 0] = await freePorts(2)
    const url = `http://127.0.0.1:${port}/`
    await startConfigured(lab, port, {
      services: {
        web: { command: replicaWords('replica'), replicas: 3 },
        sockets: { command: replicaWords('socket-replica'), replicas: 2 },
      },
      listeners: [
        {
          address: `127.0.0.1:${port}`,
          routes: [{ path: '/sockets', service: 'sockets' }],
          service: 'web',
        },
      ],
      admin: { address: `127.0.0.1:${admin}` },
    })
    await untilReplicasAnswer(url, 3)

    const sockets = new Sockets(lab, `ws://127.0.0.1:${port}/sockets`)
    await sockets.open()
    const crowd = startCrowd({ url, connections: clients })
    for (let restart = 1; restart <= restarts; restart++) {
      lab.progress(`restart ${restart} of ${restarts}`)
      await runDrover(lab, ['restart', 'web', '--admin', `127.0.0.1:${admin}`])
    }
    await sleep(2 * pingEveryMs)
    const processes = crowd.firstSeenMs.size
    const result = await crowd.stop()
    await sockets.settle()

    const lost = lostOf(result)
    lab.print(
      `${restarts} rolling restarts of 3 replicas under ${clients} clients: ${processes} processes answered`,
    )
    lab.print(`${result.sent} GETs, lost: ${lost}${lost > 0 ? ` (${lossesOf(result)})` : ''}`)
    lab.print(
      `${socketCount} WebSockets of another service, ${sockets.echoes} echoes, dropped: ${sockets.dropped}, echoes missing: ${sockets.missing}`,
    )
    lab.print('goal: 0 lost, 0 dropped')
  },
}

/** WebSockets that say something every now and then and count what comes back. */
class Sockets {
  echoes = 0
  dropped = 0
  #sent = 0
  readonly #lab: Lab
  readonly #url: string
  readonly #sockets: WebSocket[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(lab: Lab, url: string) {
    this.#lab = lab
    this.#url = url
  }

  /** Things said that were not said back. */
  get missing(): number {
    return this.#sent - this.echoes
  }

  async open(): Promise<void> {
    let opened = 0
    for (let socket = 0; socket < socketCount; socket++) {
      const one = new WebSocket(this.#url)
      one.on('open', () => opened++)
      one.on('message', () => this.echoes++)
      one.on('close', () => this.dropped++)
      one.on('error', (error) => this.#lab.print(`a WebSocket failed: ${error.message}`))
      this.#sockets.push(one)
    }
    this.#lab.onStop(() => this.#close())
    await until('all WebSockets open', () => opened === socketCount)
    this.#timer = setInterval(() => this.#ping(), pingEveryMs)
  }

  /** Says nothing more and waits a while for what is still to come back. */
  async settle(): Promise<void> {
    clearInterval(this.#timer)
    const deadlineMs = performance.now() + 2_000
    while (this.missing > 0 && performance.now() < deadlineMs) await sleep(20)
  }

  #ping(): void {
    for (const socket of this.#sockets) {
      if (socket.readyState !== WebSocket.OPEN) continue
      this.#sent++
      socket.send('still there?')
    }
  }

  #close(): void {
    clearInterval(this.#timer)
    for (const socket of this.#sockets) socket.terminate()
  }
}
