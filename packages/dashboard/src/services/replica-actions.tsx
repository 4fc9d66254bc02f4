import { admin, type Replica, type Service } from '../client/admin.ts'
import { Action, Button } from '../kit/button.tsx'

interface ReplicaActionsProps {
  readonly service: Service
  readonly replica: Replica
  readonly onWeigh: () => void
  readonly onFault: () => void
}

/** What can be done with one replica. */
export function ReplicaActions({ service, replica, onWeigh, onFault }: ReplicaActionsProps) {
  const { name, state } = replica
  const path = { service: service.name, replica: replica.name }
  const isDraining = state === 'draining'
  return (
    <div class="row-actions replica-actions">
      <Button icon="weight" label={`Weight of ${name}`} kind="bare" onPress={onWeigh} />
      <Action
        icon={isDraining ? 'undo' : 'drain'}
        label={isDraining ? `Give ${name} requests again` : `Drain ${name}: nothing new for it`}
        kind="bare"
        act={() =>
          admin('POST /v1/services/{service}/replicas/{replica}/drain', {
            path,
            body: { undo: isDraining },
          })
        }
        done={isDraining ? `${name} is checked and comes in again` : `${name} gets nothing new`}
        failed={`${name} could not be drained`}
      />
      <Button
        icon="fault"
        label={`Fault of ${name}: slow or failing`}
        kind="bare"
        onPress={onFault}
      />
      {service.kind !== 'addresses' && (
        <Action
          icon="kill"
          label={`Kill ${name} as a crash would`}
          kind="bare"
          act={() => admin('POST /v1/services/{service}/replicas/{replica}/kill', { path })}
          done={`${name} was killed`}
          failed={`${name} was not killed`}
        />
      )}
    </div>
  )
}
