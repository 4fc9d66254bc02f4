import { useState } from 'preact/hooks'
import { Field } from '../kit/field.tsx'
import { plural } from '../kit/format.ts'
import { Panel } from '../kit/panel.tsx'
import { eventList, status } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { EventLog } from './event-log.tsx'

/** Everything that happened, live. */
export function EventsPage() {
  const { events } = useStore(eventList)
  const services = useStore(status)?.services ?? []
  const [service, setService] = useState('')
  const [words, setWords] = useState('')
  const [isCalm, setCalm] = useState(false)
  const shown = events.filter(
    (event) =>
      (service === '' || event.service === service) &&
      (!isCalm || event.level !== 'detail') &&
      event.message.toLowerCase().includes(words.toLowerCase()),
  )
  return (
    <>
      <h1>Events</h1>
      <Panel title="What happened" note={plural(shown.length, 'event')}>
        <div class="filters">
          <Field label="Service">
            {(control) => (
              <select
                {...control}
                value={service}
                onChange={(event) => setService(event.currentTarget.value)}
              >
                <option value="">all</option>
                {services.map(({ name }) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Words">
            {(control) => (
              <input
                {...control}
                type="search"
                value={words}
                onInput={(event) => setWords(event.currentTarget.value)}
              />
            )}
          </Field>
          <label class="check">
            <input
              type="checkbox"
              checked={isCalm}
              onChange={(event) => setCalm(event.currentTarget.checked)}
            />
            Without details
          </label>
        </div>
        <EventLog events={shown} empty="Nothing like that happened yet." />
      </Panel>
    </>
  )
}
