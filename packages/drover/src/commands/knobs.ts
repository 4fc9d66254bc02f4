import { policyNames } from '@drover/balancer'

/** A command line option of `drover balance` and the key of the configuration that it sets. */
export interface Knob {
  readonly flags: string
  readonly says: string
  /**
   * Where its value goes: `service.` is the one service, `listener.` every listener, and anything
   * else counts from the top. A list takes the option again and again.
   */
  readonly key: string
  readonly takes: 'text' | 'number' | 'yes' | 'list' | 'pairs'
  readonly group: string
}

const clients = 'Where clients connect:'
const runs = 'What runs:'
const spread = 'How requests are spread:'
const failure = 'Health and failure:'
const load = 'Load:'
const own = 'Drover itself:'

/** Every option of `drover balance`, in the order of its help. */
export const knobs: readonly Knob[] = [
  {
    flags: '-l, --listen <address>',
    says: '127.0.0.1:8080, :8080 (every interface) or 8080; may come again',
    key: 'listeners',
    takes: 'list',
    group: clients,
  },
  {
    flags: '--tcp',
    says: 'forwards TCP connections instead of HTTP requests',
    key: 'listener.protocol',
    takes: 'yes',
    group: clients,
  },
  {
    flags: '--tls-cert <file>',
    says: 'serves HTTPS with this certificate (PEM, the chain included)',
    key: 'listener.tls.certificates.0.certificate',
    takes: 'text',
    group: clients,
  },
  {
    flags: '--tls-key <file>',
    says: 'and this key (PEM)',
    key: 'listener.tls.certificates.0.key',
    takes: 'text',
    group: clients,
  },
  {
    flags: '--trust <network>',
    says: 'a proxy in front whose X-Forwarded-* headers are believed (CIDR); may come again',
    key: 'trustedProxies',
    takes: 'list',
    group: clients,
  },
  {
    flags: '--manage <path>',
    says: 'serves /rep, /add and /rm of the classroom API below this path',
    key: 'manage.path',
    takes: 'text',
    group: clients,
  },
  {
    flags: '--access-log <file>',
    says: 'writes a JSON line per request; - is standard output',
    key: 'accessLog',
    takes: 'text',
    group: clients,
  },
  {
    flags: '-n, --replicas <number>',
    says: 'how many run',
    key: 'service.replicas',
    takes: 'number',
    group: runs,
  },
  {
    flags: '-e, --env <name=value>',
    says: 'added to the environment of each; may come again',
    key: 'service.env',
    takes: 'pairs',
    group: runs,
  },
  {
    flags: '--cwd <folder>',
    says: 'runs the command there',
    key: 'service.cwd',
    takes: 'text',
    group: runs,
  },
  {
    flags: '--docker <image>',
    says: 'runs containers of this image; words after -- replace its command',
    key: 'service.docker.image',
    takes: 'text',
    group: runs,
  },
  {
    flags: '--container-port <port>',
    says: 'where the program in the container listens',
    key: 'service.docker.port',
    takes: 'number',
    group: runs,
  },
  {
    flags: '--to <address>',
    says: 'runs nothing, and sends requests to this address; may come again',
    key: 'service.addresses',
    takes: 'list',
    group: runs,
  },
  {
    flags: '--start-timeout <duration>',
    says: 'a replica that is not ready after this is replaced',
    key: 'service.start.timeout',
    takes: 'text',
    group: runs,
  },
  {
    flags: '--drain-timeout <duration>',
    says: 'how long a replica may finish its requests',
    key: 'service.stop.drain',
    takes: 'text',
    group: runs,
  },
  {
    flags: '--stop-timeout <duration>',
    says: 'from SIGTERM to SIGKILL',
    key: 'service.stop.timeout',
    takes: 'text',
    group: runs,
  },
  {
    flags: '-p, --policy <name>',
    says: policyNames.join(', '),
    key: 'service.policy',
    takes: 'text',
    group: spread,
  },
  {
    flags: '--policy-option <name=value>',
    says: 'what the policy knows, as slots=512; may come again',
    key: 'service.policyOptions',
    takes: 'pairs',
    group: spread,
  },
  {
    flags: '--key <source>',
    says: 'what hashed policies hash: request-id, client, path, query:NAME, header:NAME, cookie:NAME',
    key: 'service.key',
    takes: 'text',
    group: spread,
  },
  {
    flags: '--weights <numbers>',
    says: 'shares of the first replicas, as 8,1,1',
    key: 'service.weights',
    takes: 'text',
    group: spread,
  },
  {
    flags: '--sticky',
    says: 'a client stays with its replica, by a signed cookie',
    key: 'service.sticky',
    takes: 'yes',
    group: spread,
  },
  {
    flags: '--health <path>',
    says: 'asks each replica for this path; "tcp" only connects',
    key: 'service.health.path',
    takes: 'text',
    group: failure,
  },
  {
    flags: '--health-interval <duration>',
    says: 'between two checks',
    key: 'service.health.interval',
    takes: 'text',
    group: failure,
  },
  {
    flags: '--health-timeout <duration>',
    says: 'the longest that a check may take',
    key: 'service.health.timeout',
    takes: 'text',
    group: failure,
  },
  {
    flags: '--rise <number>',
    says: 'checks passed in a row that bring a replica in',
    key: 'service.health.rise',
    takes: 'number',
    group: failure,
  },
  {
    flags: '--fall <number>',
    says: 'checks failed in a row that take it out',
    key: 'service.health.fall',
    takes: 'number',
    group: failure,
  },
  {
    flags: '--failure-status <number>',
    says: 'answers from this status on count as failed requests, as 500; 5 in a row eject a replica',
    key: 'service.health.failureStatus',
    takes: 'number',
    group: failure,
  },
  {
    flags: '--slow-start <duration>',
    says: 'a replica that comes in grows to its full share over this',
    key: 'service.health.slowStart',
    takes: 'text',
    group: failure,
  },
  {
    flags: '--attempts <number>',
    says: 'how many replicas a request may try; 1 never repeats',
    key: 'service.retry.attempts',
    takes: 'number',
    group: failure,
  },
  {
    flags: '--timeout <duration>',
    says: "until the first byte of a replica's answer",
    key: 'service.timeouts.firstByte',
    takes: 'text',
    group: failure,
  },
  {
    flags: '--in-flight <number>',
    says: 'requests under way at one replica at one time; 0 no bound',
    key: 'service.inFlightMax',
    takes: 'number',
    group: load,
  },
  {
    flags: '--queue <number>',
    says: 'requests that may wait while all are busy',
    key: 'service.queue.size',
    takes: 'number',
    group: load,
  },
  {
    flags: '--queue-wait <duration>',
    says: 'the longest that one waits',
    key: 'service.queue.wait',
    takes: 'text',
    group: load,
  },
  {
    flags: '--rate <number>',
    says: 'requests a second that one client may send',
    key: 'service.rateLimit.perSecond',
    takes: 'number',
    group: load,
  },
  {
    flags: '--min <number>',
    says: 'sizes the service by its load: never fewer replicas',
    key: 'service.autoscale.min',
    takes: 'number',
    group: load,
  },
  {
    flags: '--max <number>',
    says: 'never more',
    key: 'service.autoscale.max',
    takes: 'number',
    group: load,
  },
  {
    flags: '--target <number>',
    says: 'requests under way per replica to size for',
    key: 'service.autoscale.inFlight',
    takes: 'number',
    group: load,
  },
  {
    flags: '--engine <name>',
    says: 'what forwards the requests: builtin, nginx, haproxy',
    key: 'door.engine',
    takes: 'text',
    group: own,
  },
  {
    flags: '--workers <number>',
    says: 'processes that serve requests; 0 serves them in this one (nginx, HAProxy: one a core)',
    key: 'door.workers',
    takes: 'number',
    group: own,
  },
  {
    flags: '--grace <duration>',
    says: 'how long requests may go on when Drover stops',
    key: 'door.grace',
    takes: 'text',
    group: own,
  },
  {
    flags: '--admin <address>',
    says: 'where the admin API listens, or off (default: port 8081, or the next free one)',
    key: 'admin.address',
    takes: 'text',
    group: own,
  },
  {
    flags: '--admin-token <token>',
    says: 'what its clients must show (or DROVER_TOKEN); needed when it is not on loopback',
    key: 'admin.token',
    takes: 'text',
    group: own,
  },
  {
    flags: '--data <folder>',
    says: 'where this instance keeps what it must not forget',
    key: 'data',
    takes: 'text',
    group: own,
  },
]
