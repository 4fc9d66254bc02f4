import { useState } from 'preact/hooks'
import { describe } from '../client/problem.ts'
import { Field } from '../kit/field.tsx'
import { FormProblem } from '../kit/form-problem.tsx'
import type { JobsSession } from './jobs-session.ts'

/** Asks for an account of the jobs: they have their own. */
export function JobsLogin({ session }: { readonly session: JobsSession }) {
  const [problem, setProblem] = useState<string>()
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget as HTMLFormElement)
    setProblem(undefined)
    try {
      await session.logIn(String(fields.get('email')), String(fields.get('password')))
    } catch (thrown) {
      setProblem(describe(thrown))
    }
  }
  return (
    <>
      <h1>Jobs</h1>
      <form class="panel inner-login" aria-label="Log in to the jobs" onSubmit={submit}>
        <p>
          Jobs belong to accounts. The tour prints one when it starts; <code>drover jobs</code>{' '}
          knows the others.
        </p>
        <Field label="Email">
          {(control) => (
            <input {...control} name="email" type="email" required autocomplete="username" />
          )}
        </Field>
        <Field label="Password">
          {(control) => (
            <input
              {...control}
              name="password"
              type="password"
              required
              autocomplete="current-password"
            />
          )}
        </Field>
        <FormProblem text={problem} />
        <div class="actions">
          <button type="submit" class="button main">
            Log in
          </button>
        </div>
      </form>
    </>
  )
}
