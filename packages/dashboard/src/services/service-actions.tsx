import { useState } from 'preact/hooks'
import { admin, type Service } from '../client/admin.ts'
import { Action, Button } from '../kit/button.tsx'
import { plural } from '../kit/format.ts'
import { PolicyDialog } from './policy-dialog.tsx'

/** As many replicas as a service may have. */
const replicasMax = 1_000

/** Scaling, restarting and spreading otherwise. */
export function ServiceActions({ service }: { readonly service: Service }) {
  const { name, kind } = service
  const [isChoosing, setChoosing] = useState(false)
  const runsHere = kind !== 'addresses'
  return (
    <div class="actions">
      {runsHere && <Scale service={service} />}
      {runsHere && (
        <Action
          icon="restart"
          act={() => admin('POST /v1/services/{service}/restart', { path: { service: name } })}
          done={`${name}: replicas are replaced one by one`}
          failed={`${name} was not restarted`}
        >
          Restart
        </Action>
      )}
      <Button icon="edit" onPress={() => setChoosing(true)}>
        Policy
      </Button>
      {isChoosing && <PolicyDialog service={service} onClose={() => setChoosing(false)} />}
    </div>
  )
}

function Scale({ service }: { readonly service: Service }) {
  const { name, wanted } = service
  const scale = (replicas: number) =>
    admin('POST /v1/services/{service}/scale', { path: { service: name }, body: { replicas } })
  return (
    <fieldset class="stepper" aria-label={`Replicas of ${name}`}>
      <Action
        icon="minus"
        label={`One replica less: ${Math.max(0, wanted - 1)}`}
        isDisabled={wanted <= 0}
        act={() => scale(wanted - 1)}
        done={`${name}: ${plural(wanted - 1, 'replica')} from now on`}
        failed={`${name} was not scaled`}
      />
      <output aria-label="Replicas wanted">{wanted}</output>
      <Action
        icon="plus"
        label={`One replica more: ${wanted + 1}`}
        isDisabled={wanted >= replicasMax}
        act={() => scale(wanted + 1)}
        done={`${name}: ${plural(wanted + 1, 'replica')} from now on`}
        failed={`${name} was not scaled`}
      />
    </fieldset>
  )
}
