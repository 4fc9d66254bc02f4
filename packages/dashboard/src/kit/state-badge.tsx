/** What a state means to who looks: its colour, and the shape for who sees no colours. */
const tones: Readonly<Record<string, 'good' | 'coming' | 'warn' | 'bad' | 'leaving' | 'idle'>> = {
  ready: 'good',
  up: 'good',
  done: 'good',
  delivered: 'good',
  linked: 'good',
  'slow-start': 'coming',
  checking: 'coming',
  starting: 'coming',
  working: 'coming',
  running: 'coming',
  delivering: 'coming',
  publishing: 'coming',
  queued: 'coming',
  suspect: 'warn',
  delayed: 'warn',
  pending: 'warn',
  waiting: 'idle',
  cut: 'warn',
  ejected: 'bad',
  dead: 'bad',
  failed: 'bad',
  down: 'bad',
  gone: 'bad',
  lost: 'bad',
  draining: 'leaving',
  leaving: 'leaving',
  stopped: 'idle',
  cancelled: 'idle',
}

/** A state in a word, with its colour and shape. */
export function StateBadge({ state }: { readonly state: string }) {
  return (
    <span class={`state ${tones[state] ?? 'idle'}`}>
      <span class="mark" aria-hidden="true" />
      {state}
    </span>
  )
}
