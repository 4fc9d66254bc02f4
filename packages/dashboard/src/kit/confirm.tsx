import type { ComponentChildren } from 'preact'
import { Dialog, DialogForm } from './dialog.tsx'

interface ConfirmProps {
  readonly title: string
  /** What will happen, so that one can think again. */
  readonly children: ComponentChildren
  readonly verb: string
  readonly act: () => Promise<unknown>
  readonly done: string
  readonly onClose: () => void
}

/** Asks once more before what cannot be taken back. */
export function Confirm({ title, children, ...form }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={form.onClose}>
      <DialogForm {...form} isDangerous>
        <p>{children}</p>
      </DialogForm>
    </Dialog>
  )
}
