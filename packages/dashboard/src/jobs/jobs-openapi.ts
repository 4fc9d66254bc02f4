// Made from /openapi.json (Drover fetch jobs); make it anew by WRITE_DOCS=1 npm test -- openapi

export interface JobsApi {
  /** List callbacks, the newest first */
  'GET /v1/callbacks': {
    query: {
      job?: string
      state?: 'pending' | 'delivering' | 'delivered' | 'failed' | 'gone'
      after?: string
      limit?: number
    }
    answer: {
      callbacks: {
        id: string
        jobId: string
        ownerId: string
        url: string
        body: string
        state: 'pending' | 'delivering' | 'delivered' | 'failed' | 'gone'
        attempt: number
        createdAt: string
        dueAt: string
      }[]
      next?: string
    }
  }
  /** One callback with its attempts */
  'GET /v1/callbacks/{id}': {
    path: { id: string }
    answer: {
      id: string
      jobId: string
      ownerId: string
      url: string
      body: string
      state: 'pending' | 'delivering' | 'delivered' | 'failed' | 'gone'
      attempt: number
      createdAt: string
      dueAt: string
      attempts: {
        attempt: number
        at: string
        tookMs: number
        status?: number
        answer?: string
        error?: string
      }[]
    }
  }
  /** List jobs, the newest first */
  'GET /v1/jobs': {
    query: {
      state?:
        | 'delayed'
        | 'waiting'
        | 'publishing'
        | 'queued'
        | 'working'
        | 'done'
        | 'dead'
        | 'cancelled'
      type?: number
      batch?: string
      after?: string
      limit?: number
    }
    answer: {
      jobs: {
        id: string
        ownerId: string
        url: string
        type: number
        state:
          | 'delayed'
          | 'waiting'
          | 'publishing'
          | 'queued'
          | 'working'
          | 'done'
          | 'dead'
          | 'cancelled'
        attempt: number
        attemptsMax: number
        priority: number
        run: number
        userId: string | number
        addedAt: string
        updatedAt: string
        dueAt?: string
        completedAt?: string
        callbackUrl?: string
        batch?: string
        schedule?: string
        reason?: { code: string; message: string }
        result?: {
          url: string
          status: number
          contentType: string
          bytes: number
          etag?: string
          lastModified?: string
          facts: Record<string, boolean | number | string>
        }
      }[]
      next?: string
    }
  }
  /** One job */
  'GET /v1/jobs/{id}': {
    path: { id: string }
    answer: {
      id: string
      ownerId: string
      url: string
      type: number
      state:
        | 'delayed'
        | 'waiting'
        | 'publishing'
        | 'queued'
        | 'working'
        | 'done'
        | 'dead'
        | 'cancelled'
      attempt: number
      attemptsMax: number
      priority: number
      run: number
      userId: string | number
      addedAt: string
      updatedAt: string
      dueAt?: string
      completedAt?: string
      callbackUrl?: string
      batch?: string
      schedule?: string
      reason?: { code: string; message: string }
      result?: {
        url: string
        status: number
        contentType: string
        bytes: number
        etag?: string
        lastModified?: string
        facts: Record<string, boolean | number | string>
      }
    }
  }
  /** List schedules, the newest first */
  'GET /v1/schedules': {
    query: { after?: string; limit?: number }
    answer: {
      schedules: {
        id: string
        ownerId: string
        cron: string
        timeZone: string
        job: {
          url: string
          type: number
          userId?: string | number
          callbackUrl?: string
          priority?: number
          attemptsMax?: number
        }
        paused: boolean
        nextAt?: string
        lastAt?: string
        lastJob?: string
        createdAt: string
      }[]
      next?: string
    }
  }
  /** Jobs by type and state */
  'GET /v1/stats': {
    answer: {
      total: Record<string, number>
      byType: {
        '1': Record<string, number>
        '2': Record<string, number>
        '3': Record<string, number>
      }
      callbacks: Record<string, number>
      at: string
    }
  }
  /** Submit a job */
  'POST /v1/jobs': {
    body: {
      url: string
      type: 1 | 2 | 3
      userId?: string | number
      callbackUrl?: string
      priority?: number
      attemptsMax?: number
      delayMs?: number
    }
    answer: { id: string }
  }
  /** Start dead or cancelled jobs again */
  'POST /v1/jobs/retry': {
    body: { state?: 'dead' | 'cancelled'; type?: 1 | 2 | 3; batch?: string }
    answer: { count: number }
  }
  /** Submit a job again and again */
  'POST /v1/schedules': {
    body: {
      cron: string
      timeZone?: string
      job: {
        url: string
        type: 1 | 2 | 3
        userId?: string | number
        callbackUrl?: string
        priority?: number
        attemptsMax?: number
      }
    }
    answer: {
      id: string
      ownerId: string
      cron: string
      timeZone: string
      job: {
        url: string
        type: number
        userId?: string | number
        callbackUrl?: string
        priority?: number
        attemptsMax?: number
      }
      paused: boolean
      nextAt?: string
      lastAt?: string
      lastJob?: string
      createdAt: string
    }
  }
  /** Let a schedule rest, or go on */
  'POST /v1/schedules/{id}/pause': {
    path: { id: string }
    body: { paused: boolean }
    answer: {
      id: string
      ownerId: string
      cron: string
      timeZone: string
      job: {
        url: string
        type: number
        userId?: string | number
        callbackUrl?: string
        priority?: number
        attemptsMax?: number
      }
      paused: boolean
      nextAt?: string
      lastAt?: string
      lastJob?: string
      createdAt: string
    }
  }
  /** Log in */
  'POST /v1/tokens': {
    body: { email: string; password: string }
    answer: { accessToken: string; refreshToken: string; expiresInMs: number; tokenType: string }
  }
}
