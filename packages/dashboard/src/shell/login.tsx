import { useState } from 'preact/hooks'
import { admin } from '../client/admin.ts'
import { describe } from '../client/problem.ts'
import { isLockedOut, logIn, token } from '../client/session.ts'
import { Field } from '../kit/field.tsx'
import { FormProblem } from '../kit/form-problem.tsx'

/** Asks for the admin API's token; shown as soon as the instance wants to see one. */
export function Login() {
  const [problem, setProblem] = useState<string>()
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const text = new FormData(event.currentTarget as HTMLFormElement).get('token')
    token.set(String(text).trim())
    try {
      await admin('GET /v1/status')
      logIn(String(text).trim())
    } catch (thrown) {
      token.set(undefined)
      isLockedOut.set(true)
      setProblem(describe(thrown))
    }
  }
  return (
    <main class="login">
      <form class="panel" onSubmit={submit}>
        <img src="./drover.svg" alt="" width="40" height="40" />
        <h1>Drover</h1>
        <p>
          This instance wants to see its token: <code>admin.token</code> of drover.yaml.
        </p>
        <Field label="Token" hint="It is kept until this tab is closed.">
          {(control) => (
            <input
              {...control}
              name="token"
              type="password"
              required
              autofocus
              autocomplete="off"
            />
          )}
        </Field>
        <FormProblem text={problem} />
        <button type="submit" class="button main">
          Log in
        </button>
      </form>
    </main>
  )
}
