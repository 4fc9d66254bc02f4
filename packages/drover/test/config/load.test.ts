import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadFile } from '../../src/config/load.ts'

/** Loads `text` as a file of its own; returns what was refused, without the folder, or nothing. */
async function refusal(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-config-'))
  const file = join(folder, 'drover.yaml')
  try {
    await writeFile(file, text)
    await loadFile(file)
    return ''
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, '')
  } finally {
    await rm(folder, { recursive: true })
  }
}

const good = `services:
  web:
    command: node server.js
`

test('a service alone is enough, and everything else has a default', async () => {
  assert.equal(await refusal(good), '')
})

const refused: [name: string, text: string, message: RegExp][] = [
  [
    'an unknown key names the nearest',
    `${good}    replcas: 2\n`,
    /^drover\.yaml:4: services\.web\.replcas: unknown key; did you mean "replicas"\?$/,
  ],
  [
    'a wrong policy names the nearest',
    `${good}    policy: rond-robin\n`,
    /^drover\.yaml:4: services\.web\.policy: expected .*; did you mean "round-robin"\?$/,
  ],
  [
    'a bare number is no duration',
    `${good}    start: { timeout: 30 }\n`,
    /^drover\.yaml:4: services\.web\.start\.timeout: expected a text \(a duration such as 500ms.*, not 30$/,
  ],
  [
    'too many replicas',
    `${good}    replicas: 5000\n`,
    /^drover\.yaml:4: services\.web\.replicas: expected a whole number from 0 to 1000, not 5000$/,
  ],
  [
    'a port beyond 65535',
    `${good}listeners:\n  - address: 127.0.0.1:99999\n    service: web\n`,
    /^drover\.yaml:5: listeners\.0\.address: expected a text \(an address/,
  ],
  [
    'a service that does not exist',
    `${good}listeners:\n  - address: ":8080"\n    service: wbe\n`,
    /^drover\.yaml:6: listeners\.0\.service: no service is called "wbe"; did you mean "web"\?$/,
  ],
  [
    'a service that a route names in vain',
    `${good}listeners:\n  - address: ":8080"\n    routes:\n      - path: /api\n        service: api\n`,
    /^drover\.yaml:8: listeners\.0\.routes\.0\.service: no service is called "api"; services are web$/,
  ],
  [
    'a route with two actions',
    `${good}listeners:\n  - address: ":8080"\n    routes:\n      - { service: web, redirect: /x }\n`,
    /^drover\.yaml:7: listeners\.0\.routes\.0: expected exactly one of service, redirect and answer$/,
  ],
  [
    'two listeners on one address',
    `${good}listeners:\n  - { address: "127.0.0.1:8080", service: web }\n  - { address: "0.0.0.0:8080", service: web }\n`,
    /^drover\.yaml:6: listeners\.1\.address: another listener is on 127\.0\.0\.1:8080 already$/,
  ],
  [
    'a policy option out of range',
    `${good}    policy: slot-ring\n    policyOptions: { slots: 0 }\n`,
    /^drover\.yaml:5: services\.web\.policyOptions: option slots of policy slot-ring must be .*, not 0$/,
  ],
  [
    'a policy option that the policy lacks',
    `${good}    policyOptions: { slots: 9 }\n`,
    /policy round-robin has no option slots/,
  ],
  [
    'a command and a container',
    `${good}    docker: { image: x }\n`,
    /^drover\.yaml:4: services\.web\.docker: excludes command; a service has one of command, docker and addresses$/,
  ],
  [
    'nothing to run',
    'services:\n  web:\n    replicas: 2\n',
    /^drover\.yaml:2: services\.web\.command: is missing; expected command, docker or addresses$/,
  ],
  [
    'a name with capital letters',
    'services:\n  Web:\n    command: x\n',
    /^drover\.yaml:2: services\.Web: a service is named by small letters/,
  ],
  [
    'an admin API for everybody without a token',
    `${good}admin:\n  address: ":8081"\n`,
    /^drover\.yaml:4: admin\.token: is missing; :8081 can be reached from other machines/,
  ],
  [
    'a token that no client can show, which is not quoted',
    `${good}admin:\n  token: "a token with blanks"\n`,
    /^drover\.yaml:5: admin\.token: expected a text \(at least 16 .* no blanks; .*\), not the one given$/,
  ],
  [
    'a token that headers cannot carry as it is',
    `${good}admin:\n  token: "größer-als-sechzehn"\n`,
    /^drover\.yaml:5: admin\.token: expected a text .* of ASCII/,
  ],
  [
    'a fault that the door does not have',
    `${good}    answers:\n      - { code: NO_REPLCA, status: 503, body: x }\n`,
    /^drover\.yaml:5: services\.web\.answers\.0\.code: no fault of the door is "NO_REPLCA"; did you mean "NO_REPLICA"\?$/,
  ],
  [
    'a proxy that is no network',
    `${good}trustedProxies: [10.0.0.0/99]\n`,
    /^drover\.yaml:4: trustedProxies\.0: expected an address or a network/,
  ],
  [
    'autoscaling the wrong way round',
    `${good}    autoscale: { min: 5, max: 2 }\n`,
    /^drover\.yaml:4: services\.web\.autoscale\.max: expected at least min, which is 5, not 2$/,
  ],
  [
    'several services and no listener',
    `${good}  api:\n    command: node api.js\n`,
    /listeners: is missing; with several services, say who is where/,
  ],
  ['nothing at all', '', /^drover\.yaml:1: services: is missing; expected at least one service$/],
  ['broken YAML', 'services: [', /^drover\.yaml:\d+: /],
]

for (const [name, text, message] of refused)
  test(`refused with file, line and key: ${name}`, async () => {
    assert.match(await refusal(text), message)
  })

test('every mistake is told at once', async () => {
  const text =
    'services:\n  web:\n    command: 5\n    replicas: -1\n    stop: { signal: SIGKILL }\n'

  const lines = (await refusal(text)).split('\n')

  assert.deepEqual(lines.map((line) => line.split(': ').slice(0, 2).join(' ')).sort(), [
    'drover.yaml:3 services.web.command',
    'drover.yaml:4 services.web.replicas',
    'drover.yaml:5 services.web.stop.signal',
  ])
})
