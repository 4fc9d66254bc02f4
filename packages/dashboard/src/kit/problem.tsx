import { Icon } from './icon.tsx'

/** Says that what is shown could not be read, or is old. */
export function Problem({ text }: { readonly text: string }) {
  return (
    <p class="warning" role="alert">
      <Icon name="alert" />
      <span>{text}</span>
    </p>
  )
}
