import { useEffect, useState } from 'preact/hooks'
import { type Answer, admin, type Service } from '../client/admin.ts'
import { describe } from '../client/problem.ts'
import { formatCount } from '../kit/format.ts'
import { Nothing, Panel } from '../kit/panel.tsx'
import { RingDrawing } from './ring-drawing.tsx'
import { ShareTable } from './share-table.tsx'

export type Ring = Answer<'GET /v1/services/{service}/ring'>

/** Who has which keys, for a service whose policy hashes; nothing for the others. */
export function RingPanel({ service }: { readonly service: Service }) {
  const { ring, problem } = useRing(service)
  const [leaver, setLeaver] = useState<string>()
  if (problem !== undefined) return <Panel title="Keys">{<Nothing>{problem}</Nothing>}</Panel>
  if (!ring?.hashed) return null
  const chosen = ring.replicas.find(({ name }) => name === leaver)
  const isRound = ring.replicas.some(({ arcs }) => arcs.length > 0)
  return (
    <Panel
      title={isRound ? 'Ring' : 'Keys'}
      note={
        <>
          by <b>{ring.key}</b>, of {formatCount(ring.keysSampled)} keys asked for
        </>
      }
    >
      {ring.replicas.length === 0 ? (
        <Nothing>No replica gets requests, so nobody has keys.</Nothing>
      ) : (
        <div class="ring">
          <RingDrawing replicas={ring.replicas} leaver={chosen?.name} />
          <ShareTable replicas={ring.replicas} leaver={chosen} onLeave={setLeaver} />
        </div>
      )}
    </Panel>
  )
}

/** Read anew whenever something changes that decides who has which keys. */
function useRing({ name, policy, replicas }: Service) {
  const [found, setFound] = useState<{ ring?: Ring; problem?: string }>({})
  const deciding = JSON.stringify([policy, replicas.map((one) => [one.id, one.state, one.weight])])
  useEffect(() => {
    let isOld = false
    admin('GET /v1/services/{service}/ring', { path: { service: name } })
      .then((ring) => isOld || setFound({ ring }))
      .catch((problem: unknown) => isOld || setFound({ problem: describe(problem) }))
    return () => {
      isOld = true
    }
  }, [name, deciding])
  return found
}
