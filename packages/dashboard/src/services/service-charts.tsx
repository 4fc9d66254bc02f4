import type { Service } from '../client/admin.ts'
import { Chart } from '../kit/chart.tsx'
import { formatCount, formatSeconds } from '../kit/format.ts'
import { Panel } from '../kit/panel.tsx'
import { readings } from '../live/instance.ts'
import type { Reading } from '../live/readings.ts'
import { useStore } from '../live/store.ts'

/** Lines for single replicas, as long as they can be told apart. */
const replicaLinesMax = 7

const none: readonly Reading[] = []

/** Requests, how long they take, and how many fail, over the last minutes. */
export function ServiceCharts({ service }: { readonly service: Service }) {
  const known = useStore(readings).get(service.name) ?? none
  const timesMs = known.map(({ atMs }) => atMs)
  const replicas = service.replicas.map(({ name }) => name).slice(0, replicaLinesMax)
  return (
    <Panel title="Traffic" note="the last five minutes">
      <div class="charts">
        <Chart
          title="Requests per second"
          timesMs={timesMs}
          format={(value) => formatCount(value ?? 0)}
          lines={[
            {
              label: 'all',
              values: known.map(({ requestsPerSecond }) => requestsPerSecond),
              color: '--line-1',
              isFilled: true,
            },
            ...replicas.map((name, index) => ({
              label: name,
              values: known.map(({ byReplica }) => byReplica.get(name)),
              color: `--line-${index + 2}`,
            })),
          ]}
        />
        <Chart
          title="Latency"
          timesMs={timesMs}
          format={formatSeconds}
          lines={[
            {
              label: 'p50',
              values: known.map(({ p50Seconds }) => p50Seconds),
              color: '--line-1',
            },
            {
              label: 'p99',
              values: known.map(({ p99Seconds }) => p99Seconds),
              color: '--line-3',
            },
          ]}
        />
        <Chart
          title="Errors per second"
          timesMs={timesMs}
          format={(value) => formatCount(value ?? 0)}
          lines={[
            {
              label: '5xx or no answer',
              values: known.map(({ errorsPerSecond }) => errorsPerSecond),
              color: '--line-bad',
              isFilled: true,
            },
          ]}
        />
      </div>
    </Panel>
  )
}
