import { useState } from 'preact/hooks'
import { admin, type Replica } from '../client/admin.ts'
import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { NumberField } from '../kit/field.tsx'
import { formatShare } from '../kit/format.ts'

interface WeightDialogProps {
  readonly service: string
  readonly replica: Replica
  readonly replicas: readonly Replica[]
  readonly onClose: () => void
}

/** Asks for a replica's weight and says what share that makes. */
export function WeightDialog({ service, replica, replicas, onClose }: WeightDialogProps) {
  const { name } = replica
  const [weight, setWeight] = useState(replica.weight)
  const others = replicas.filter(({ id }) => id !== replica.id)
  const sum = others.reduce((total, one) => total + one.weight, weight)
  return (
    <Dialog title={`Weight of ${name}`} onClose={onClose}>
      <DialogForm
        verb="Set"
        done={`${name} weighs ${weight} until the configuration is loaded again`}
        act={() =>
          admin('POST /v1/services/{service}/replicas/{replica}/weight', {
            path: { service, replica: name },
            body: { weight },
          })
        }
        onClose={onClose}
      >
        <NumberField
          label="Weight"
          hint={`Beside the others this is a share of ${formatShare(sum > 0 ? weight / sum : 0)}, under policies that know weights.`}
          least={0.01}
          most={1_000}
          step="any"
          initial={replica.weight}
          onNumber={setWeight}
        />
      </DialogForm>
    </Dialog>
  )
}
