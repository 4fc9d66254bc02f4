import { MetricsText } from '@drover/kernel'
import type { FrontServerParts } from './front-server.ts'

const states = ['waiting', 'working', 'done', 'failed', 'cancelled'] as const

/** Returns the front's figures in Prometheus' text format. */
export function metricsText({ front, tasks, guard }: FrontServerParts): string {
  const text = new MetricsText()
  text.metric('drover_chunks_requests', 'gauge', 'Requests known here, by state.')
  for (const state of states) text.series({ state }, front.board.count(state))
  text.metric('drover_chunks_receiving', 'gauge', 'Uploads under way.').series({}, front.receiving)
  text.metric('drover_chunks_tasks', 'gauge', 'Tasks at the backends.').series({}, tasks.running)
  const repeated = 'Tasks that were done again by another backend.'
  text.metric('drover_chunks_tasks_repeated_total', 'counter', repeated)
  text.series({}, tasks.repeated)
  text.metric('drover_chunks_used_bytes', 'gauge', 'Bytes of uploads and results.')
  text.series({}, guard.usedBytes)
  text.metric('drover_chunks_quota_bytes', 'gauge', 'Bytes that they may take.')
  text.series({}, guard.quotaBytes)
  return text.toString()
}
