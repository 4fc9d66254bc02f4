import { Button } from '../kit/button.tsx'
import { formatTime, plural } from '../kit/format.ts'
import { Nothing } from '../kit/panel.tsx'
import type { Message } from './queue-api.ts'

interface MessageListProps {
  readonly messages: readonly Message[]
  readonly onClose: () => void
}

/** The next messages of a topic, as workers will get them. */
export function MessageList({ messages, onClose }: MessageListProps) {
  return (
    <div class="messages">
      <header>
        <h3>The next {plural(messages.length, 'message')}</h3>
        <Button icon="close" label="Close the messages" kind="bare" onPress={onClose} />
      </header>
      {messages.length === 0 && <Nothing>Nothing waits here.</Nothing>}
      <ol>
        {messages.map((message) => (
          <li key={`${message.partition}/${message.offset}`}>
            <span class="mono muted">
              {message.partition}/{message.offset} · {formatTime(message.timeMs)}
              {message.key !== undefined && ` · key ${message.key}`}
            </span>
            <pre>{message.value ?? `base64: ${message.valueBase64 ?? ''}`}</pre>
            {message.headers && (
              <span class="mono muted">
                {Object.entries(message.headers)
                  .map(([name, value]) => `${name}: ${value}`)
                  .join(' · ')}
              </span>
            )}
          </li>
        ))}
      </ol>
    </div>
  )
}
