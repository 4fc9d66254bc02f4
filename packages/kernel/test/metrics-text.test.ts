import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MetricsText } from '../src/metrics-text.ts'

test('a metric comes with its help and type once, and with all of its series', () => {
  const text = new MetricsText()
    .metric('a_total', 'counter', 'How many.')
    .series({ kind: 'x' }, 1)
    .series({ kind: 'say "y"\\\n', of: 'z' }, 2.5)
    .metric('b', 'gauge', 'How much.')
    .series({}, 3)
    .metric('c', 'histogram', 'How long.')
    .series({ le: '+Inf' }, 4, '_bucket')

  assert.equal(
    text.toString(),
    `# HELP a_total How many.
# TYPE a_total counter
a_total{kind="x"} 1
a_total{kind="say \\"y\\"\\\\\\n",of="z"} 2.5
# HELP b How much.
# TYPE b gauge
b 3
# HELP c How long.
# TYPE c histogram
c_bucket{le="+Inf"} 4
`,
  )
})
