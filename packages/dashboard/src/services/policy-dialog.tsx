import { useEffect, useState } from 'preact/hooks'
import { type Answer, admin, type Service } from '../client/admin.ts'
import { Dialog, DialogForm } from '../kit/dialog.tsx'
import { Field, NumberField } from '../kit/field.tsx'
import { tellFailed } from '../kit/notices.tsx'

type Policy = Answer<'GET /v1/policies'>[number]
type Option = Policy['options'][number]
type Ring = Answer<'GET /v1/services/{service}/ring'>

interface PolicyDialogProps {
  readonly service: Service
  readonly onClose: () => void
}

/** Asks how requests are to be spread: the policy, its key where it hashes, its options. */
export function PolicyDialog({ service, onClose }: PolicyDialogProps) {
  const [known, setKnown] = useState<{ policies: Policy[]; now: Ring }>()
  useEffect(() => {
    const path = { service: service.name }
    Promise.all([admin('GET /v1/policies'), admin('GET /v1/services/{service}/ring', { path })])
      .then(([policies, now]) => setKnown({ policies, now }))
      .catch((problem: unknown) => {
        tellFailed('The policies are not known', problem)
        onClose()
      })
  }, [])
  if (!known) return null
  return <Known service={service.name} {...known} onClose={onClose} />
}

interface KnownProps {
  readonly service: string
  readonly policies: readonly Policy[]
  readonly now: Ring
  readonly onClose: () => void
}

function Known({ service, policies, now, onClose }: KnownProps) {
  const [name, setName] = useState(now.policy)
  const policy = policies.find((one) => one.name === name)
  const key = now.hashed ? now.key : ''
  return (
    <Dialog title={`How ${service} spreads requests`} onClose={onClose}>
      <DialogForm
        verb="Use"
        done={`${service}: ${name} until the configuration is loaded again`}
        act={(fields) =>
          admin('POST /v1/services/{service}/policy', {
            path: { service },
            body: readWish(fields, policy),
          })
        }
        onClose={onClose}
      >
        <Field label="Policy" hint={policy?.meaning ?? ''}>
          {(control) => (
            <select
              {...control}
              name="name"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            >
              {policies.map((one) => (
                <option key={one.name}>{one.name}</option>
              ))}
            </select>
          )}
        </Field>
        {policy?.hashed && (
          <Field
            label="Key"
            hint="request-id, client, path, query:NAME, header:NAME or cookie:NAME; empty for the usual one"
          >
            {(control) => (
              <input
                {...control}
                name="key"
                defaultValue={key}
                pattern="request-id|client|path|(query|header|cookie):[^\s:]+"
              />
            )}
          </Field>
        )}
        {policy?.options.map((option) => (
          <OptionField
            key={`${name} ${option.name}`}
            option={option}
            value={name === now.policy ? now.options[option.name] : undefined}
          />
        ))}
      </DialogForm>
    </Dialog>
  )
}

interface OptionFieldProps {
  readonly option: Option
  readonly value: string | number | undefined
}

function OptionField({ option, value = option.default }: OptionFieldProps) {
  const { name, meaning, words, least = 0, most = Number.MAX_SAFE_INTEGER, whole } = option
  const field = { label: name, hint: meaning }
  if (words.length === 0) {
    const step = whole ? 1 : 'any'
    return (
      <NumberField
        {...field}
        name={`option:${name}`}
        least={least}
        most={most}
        step={step}
        initial={value}
      />
    )
  }
  return (
    <Field {...field}>
      {(control) => (
        <select {...control} name={`option:${name}`} defaultValue={String(value)}>
          {words.map((word) => (
            <option key={word} selected={word === value}>
              {word}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

function readWish(fields: FormData, policy: Policy | undefined) {
  const key = String(fields.get('key') ?? '').trim()
  const options = (policy?.options ?? []).map(({ name, words }) => {
    const text = String(fields.get(`option:${name}`) ?? '')
    return [name, words.length > 0 ? text : Number(text)] as const
  })
  return {
    name: policy?.name ?? '',
    ...(key === '' ? {} : { key }),
    options: Object.fromEntries(options),
  }
}
