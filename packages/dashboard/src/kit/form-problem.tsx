import { Icon } from './icon.tsx'

/** Why what a form asked for could not be done; read out as soon as it is there. */
export function FormProblem({ text }: { text: string | undefined }) {
  if (text === undefined) return null
  return (
    <p class="form-problem" role="alert">
      <Icon name="alert" />
      {text}
    </p>
  )
}
