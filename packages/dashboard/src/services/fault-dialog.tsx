import { useState } from 'preact/hooks'
import { admin } from '../client/admin.ts'
import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { NumberField } from '../kit/field.tsx'

interface FaultDialogProps {
  readonly service: string
  /** A replica's name. */
  readonly replica: string
  readonly onClose: () => void
}

/** Asks how a replica is to misbehave; nothing of it ends the fault that it has. */
export function FaultDialog({ service, replica, onClose }: FaultDialogProps) {
  const [delayMs, setDelayMs] = useState(0)
  const [percent, setPercent] = useState(0)
  const [heartbeat, setHeartbeat] = useState(false)
  const isEnd = delayMs === 0 && percent === 0
  return (
    <Dialog title={`Fault of ${replica}`} onClose={onClose}>
      <DialogForm
        verb={isEnd ? 'End the fault' : 'Set'}
        done={isEnd ? `${replica} answers as it should` : `${replica} misbehaves until you end it`}
        act={() =>
          admin('POST /v1/services/{service}/replicas/{replica}/fault', {
            path: { service, replica },
            body: { delayMs, failShare: percent / 100, heartbeat },
          })
        }
        onClose={onClose}
      >
        <NumberField
          label="Delay"
          hint="How much later it answers, in ms. 0 and 0 % end its fault."
          least={0}
          most={60_000}
          initial={0}
          onNumber={setDelayMs}
        />
        <NumberField
          label="Failing"
          hint="Percent of its requests that it answers with 500."
          least={0}
          most={100}
          step="any"
          initial={0}
          onNumber={setPercent}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={heartbeat}
            onChange={(event) => setHeartbeat(event.currentTarget.checked)}
          />
          Its heartbeat too, so that health checks notice
        </label>
      </DialogForm>
    </Dialog>
  )
}
