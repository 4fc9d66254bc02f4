import { MetricsText } from '@drover/kernel'
import type { MapServerOptions } from './map-server.ts'

/** Returns the server's figures in Prometheus' text format. */
export function metricsText({ node, lines, fences, places, protocol }: MapServerOptions): string {
  const text = new MetricsText()
  text.metric('drover_herd_lines_total', 'counter', 'Lines of clients, by what they were.')
  for (const [kind, count] of Object.entries(protocol.counts)) text.series({ kind }, count)
  text.metric('drover_herd_records', 'gauge', 'Records held.').series({}, node.state.count)
  const open = 'Open connections of clients.'
  text.metric('drover_herd_connections', 'gauge', open).series({}, lines.connections)
  const refused = 'Connections closed at once because there were too many.'
  text.metric('drover_herd_connections_refused_total', 'counter', refused)
  text.series({}, lines.refused)
  const kept = 'Bytes of lines that have not ended.'
  text.metric('drover_herd_kept_bytes', 'gauge', kept).series({}, lines.keptBytes)
  text.metric('drover_herd_fences', 'gauge', 'Fences watched.').series({}, fences.count)
  text.metric('drover_herd_links', 'gauge', 'Neighbours linked.').series({}, node.links.length)
  const sent = 'Records sent to a neighbour since its link came up.'
  text.metric('drover_herd_link_sent_records', 'gauge', sent)
  for (const { peer, counts } of node.links) text.series({ peer: peer.name }, counts.sentRecords)
  const waiting = 'Records that wait for a neighbour.'
  text.metric('drover_herd_link_waiting_records', 'gauge', waiting)
  for (const link of node.links) text.series({ peer: link.peer.name }, link.waiting)
  text.metric('drover_herd_places_total', 'counter', 'Questions for places, by how they ended.')
  for (const [kind, count] of Object.entries(places.counts)) text.series({ kind }, count)
  return text.toString()
}
