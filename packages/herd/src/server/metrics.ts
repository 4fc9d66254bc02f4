import type { MapServerOptions } from './map-server.ts'

/** Returns the server's figures in Prometheus' text format. */
export function metricsText({ node, lines, fences, places, protocol }: MapServerOptions): string {
  const { counts } = protocol
  const links = node.links.map(
    ({ peer, counts: link, waiting }) => [peer.name, { ...link, waiting }] as const,
  )
  const rows: [name: string, type: 'counter' | 'gauge', help: string, samples: string[]][] = [
    [
      'drover_herd_lines_total',
      'counter',
      'Lines of clients, by what they were.',
      Object.entries(counts).map(([kind, count]) => `{kind="${kind}"} ${count}`),
    ],
    ['drover_herd_records', 'gauge', 'Records held.', [` ${node.state.count}`]],
    ['drover_herd_connections', 'gauge', 'Open connections of clients.', [` ${lines.connections}`]],
    [
      'drover_herd_connections_refused_total',
      'counter',
      'Connections closed at once because there were too many.',
      [` ${lines.refused}`],
    ],
    [
      'drover_herd_kept_bytes',
      'gauge',
      'Bytes of lines that have not ended.',
      [` ${lines.keptBytes}`],
    ],
    ['drover_herd_fences', 'gauge', 'Fences watched.', [` ${fences.count}`]],
    ['drover_herd_links', 'gauge', 'Neighbours linked.', [` ${links.length}`]],
    [
      'drover_herd_link_sent_records',
      'gauge',
      'Records sent to a neighbour since its link came up.',
      links.map(([peer, { sentRecords }]) => `{peer="${peer}"} ${sentRecords}`),
    ],
    [
      'drover_herd_link_waiting_records',
      'gauge',
      'Records that wait for a neighbour.',
      links.map(([peer, { waiting }]) => `{peer="${peer}"} ${waiting}`),
    ],
    [
      'drover_herd_places_total',
      'counter',
      'Questions for places, by how they ended.',
      Object.entries(places.counts).map(([kind, count]) => `{kind="${kind}"} ${count}`),
    ],
  ]
  return rows
    .map(([name, type, help, samples]) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...samples.map((s) => name + s),
        '',
      ].join('\n'),
    )
    .join('')
}
