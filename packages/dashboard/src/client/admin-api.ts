// Made from /openapi.json (Drover, admin API); make it anew by WRITE_DOCS=1 npm test -- openapi

export interface AdminApi {
  /** Cancels it */
  'DELETE /v1/experiments/{name}': {
    path: { name: string }
    answer: { since: number }
  }
  'DELETE /v1/services/{service}/rm': {
    path: { service: string }
    answer: unknown
  }
  /** The configuration in effect */
  'GET /v1/config': {
    answer: unknown
  }
  /** What happened, as server-sent events; Last-Event-ID goes on after an id */
  'GET /v1/events': {
    query: { since?: number; follow?: boolean }
    answer: {
      id: number
      atMs: number
      level: string
      kind: string
      service?: string
      replica?: string
      message: string
    }[]
  }
  /** Every experiment, and how its last run went */
  'GET /v1/experiments': {
    answer: {
      name: string
      title: string
      says: string
      minutes: number
      state: string
      message: string
      step: number
      steps: number
      startedAtMs: number | null
      endedAtMs: number | null
      report: { url: string; madeAtMs: number } | null
    }[]
  }
  /** The last report, a page without anything from elsewhere */
  'GET /v1/experiments/{name}/report': {
    path: { name: string }
    answer: unknown
  }
  /** The services that are parts of Drover, and where their APIs are */
  'GET /v1/parts': {
    answer: {
      service: string
      part: string
      base: string
      replicas: { name: string; ready: boolean }[]
    }[]
  }
  /** Every policy with its options */
  'GET /v1/policies': {
    answer: {
      name: string
      meaning: string
      hashed: boolean
      options: {
        name: string
        meaning: string
        default: number | string
        words: string[]
        least?: number
        most?: number
        whole: boolean
      }[]
    }[]
  }
  /** The last requests that broke the rules of HTTP, newest first */
  'GET /v1/refused': {
    answer: {
      atMs: number
      listener: string
      client: string
      reason: string
      status: number
      head: string
    }[]
  }
  /** Every service */
  'GET /v1/services': {
    answer: {
      name: string
      kind: string
      policy: string
      wanted: number
      available: number
      panic: boolean
      trouble: string | null
      waiting: number
      requestsPerSecond: number
      retriesTotal: number
      replicas: {
        id: string
        name: string
        address: string
        state: string
        reason: string
        sinceMs: number
        pid: number | null
        container: string | null
        restarts: number
        weight: number
        inFlight: number
        requestsTotal: number
        failuresTotal: number
        requestsPerSecond: number
      }[]
    }[]
  }
  /** One service */
  'GET /v1/services/{service}': {
    path: { service: string }
    answer: {
      name: string
      kind: string
      policy: string
      wanted: number
      available: number
      panic: boolean
      trouble: string | null
      waiting: number
      requestsPerSecond: number
      retriesTotal: number
      replicas: {
        id: string
        name: string
        address: string
        state: string
        reason: string
        sinceMs: number
        pid: number | null
        container: string | null
        restarts: number
        weight: number
        inFlight: number
        requestsTotal: number
        failuresTotal: number
        requestsPerSecond: number
      }[]
    }
  }
  /** What replicas wrote; with follow=true as server-sent events */
  'GET /v1/services/{service}/logs': {
    path: { service: string }
    query: { replica?: string; follow?: boolean; lines?: number }
    answer: { atMs: number; replica: string; stream: string; text: string }[]
  }
  'GET /v1/services/{service}/rep': {
    path: { service: string }
    answer: unknown
  }
  /** Which share of the keys each replica has, and what moves when one leaves */
  'GET /v1/services/{service}/ring': {
    path: { service: string }
    answer: {
      policy: string
      key: string
      options: Record<string, number | string>
      hashed: boolean
      keysSampled: number
      replicas: {
        name: string
        weight: number
        share: number
        arcs: { from: number; length: number }[]
        heirs: { name: string; share: number }[]
        unsettled: number
      }[]
    }
  }
  /** Everything at this moment */
  'GET /v1/status': {
    answer: {
      version: string
      pid: number
      startedAtMs: number
      file: string | null
      admin: string | null
      engine: string
      managed: string | null
      listeners: {
        name: string
        url: string
        protocol: string
        services: string[]
        connectionsOpen: number
        connectionsTotal: number
        refusedTotal: number
      }[]
      services: {
        name: string
        kind: string
        policy: string
        wanted: number
        available: number
        panic: boolean
        trouble: string | null
        waiting: number
        requestsPerSecond: number
        retriesTotal: number
        replicas: {
          id: string
          name: string
          address: string
          state: string
          reason: string
          sinceMs: number
          pid: number | null
          container: string | null
          restarts: number
          weight: number
          inFlight: number
          requestsTotal: number
          failuresTotal: number
          requestsPerSecond: number
        }[]
      }[]
    }
  }
  /** What Prometheus scrapes here, as its http_sd_configs reads it */
  'GET /v1/targets': {
    answer: { targets: string[]; labels: Record<string, string> }[]
  }
  /** Runs it; {"quick":true} takes the short form. Its events are drover.experiment.started, progressed, and done, failed or cancelled */
  'POST /v1/experiments/{name}': {
    path: { name: string }
    body: { quick?: boolean } | null
    answer: { since: number }
  }
  /** Reads the configuration file again */
  'POST /v1/reload': {
    answer: { since: number }
  }
  'POST /v1/services/{service}/add': {
    path: { service: string }
    answer: unknown
  }
  /** Spreads requests otherwise */
  'POST /v1/services/{service}/policy': {
    path: { service: string }
    body: { name: string; key?: string; options?: Record<string, number | string> }
    answer: { since: number }
  }
  /** Gives it nothing new; {"undo":true} takes that back */
  'POST /v1/services/{service}/replicas/{replica}/drain': {
    path: { service: string; replica: string }
    body: { undo: boolean }
    answer: { since: number }
  }
  /** Has it answer late or with 500, as the sample server can; {} ends that */
  'POST /v1/services/{service}/replicas/{replica}/fault': {
    path: { service: string; replica: string }
    body: { delayMs: number; failShare: number; heartbeat: boolean }
    answer: { since: number }
  }
  /** Kills it as a crash would, to see what happens */
  'POST /v1/services/{service}/replicas/{replica}/kill': {
    path: { service: string; replica: string }
    answer: { since: number }
  }
  /** Changes its share beside the others */
  'POST /v1/services/{service}/replicas/{replica}/weight': {
    path: { service: string; replica: string }
    body: { weight: number }
    answer: { since: number }
  }
  /** Replaces every replica, one by one; drover.restart.done is its last event */
  'POST /v1/services/{service}/restart': {
    path: { service: string }
    answer: { since: number }
  }
  'POST /v1/services/{service}/rm': {
    path: { service: string }
    answer: unknown
  }
  /** Runs this many replicas from now on */
  'POST /v1/services/{service}/scale': {
    path: { service: string }
    body: { replicas: number }
    answer: { since: number }
  }
}
