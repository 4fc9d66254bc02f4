import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'
import { tellDone, tellFailed } from './notices.tsx'

interface ButtonProps {
  readonly children?: ComponentChildren
  readonly icon?: IconName
  /** What it is called where its words do not say it all, or where it has none. */
  readonly label?: string
  readonly kind?: 'plain' | 'main' | 'danger' | 'bare'
  readonly isDisabled?: boolean
  /** It does something already. Unlike a disabled button it keeps the focus. */
  readonly isBusy?: boolean
  readonly onPress: () => void
}

/** A button with an icon, words, or both; without words the label is its tooltip too. */
export function Button(props: ButtonProps) {
  const {
    children,
    icon,
    label,
    kind = 'plain',
    isDisabled = false,
    isBusy = false,
    onPress,
  } = props
  return (
    <button
      type="button"
      class={`button ${kind} ${children === undefined ? 'only-icon' : ''}`}
      disabled={isDisabled}
      aria-busy={isBusy}
      onClick={() => isBusy || onPress()}
      {...(label === undefined ? {} : { 'aria-label': label })}
      {...(label === undefined || children !== undefined ? {} : { title: label })}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

interface ActionProps extends Omit<ButtonProps, 'onPress'> {
  /** What it does; while it goes on the button waits. */
  readonly act: () => Promise<unknown>
  /** Told when it has worked: `web runs 4 replicas`. */
  readonly done?: string
  /** Begins the notice of a failure: `web could not be scaled`. */
  readonly failed: string
}

/** A button that does something at the instance, and tells how that went. */
export function Action({ act, done, failed, ...props }: ActionProps) {
  const [isBusy, setBusy] = useState(false)
  const press = async () => {
    setBusy(true)
    try {
      await act()
      if (done !== undefined) tellDone(done)
    } catch (problem) {
      tellFailed(failed, problem)
    } finally {
      setBusy(false)
    }
  }
  return <Button {...props} isBusy={isBusy} onPress={press} />
}
