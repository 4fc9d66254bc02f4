/** Strokes on a grid of 16; drawn for this page. */
const strokes = {
  services: 'M2.5 3.5h11v3.6h-11zM2.5 8.9h11v3.6h-11zM5 5.3h.01M5 10.7h.01',
  queue: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  herd: 'M8 3.2 3.4 8.4 8 13M8 3.2l4.6 5.2L8 13M3.4 8.4h9.2',
  jobs: 'M3 5.5h10v7H3zM6 5.5V3.2h4v2.3M3 8.6h10',
  chunks: 'M2.5 4.5 8 2l5.5 2.5v7L8 14l-5.5-2.5zM2.5 4.5 8 7l5.5-2.5M8 7v7',
  experiments: 'M6 2.5h4M6.7 2.5v4L3 12.6a.7.7 0 0 0 .6 1h8.8a.7.7 0 0 0 .6-1L9.3 6.5v-4M5 10h6',
  events: 'M2 8h3l1.7-4.5L9.5 12l1.6-4H14',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  check: 'M3 8.5 6.5 12 13 4.5',
  alert: 'M8 2.5 14.5 13.5h-13zM8 6.8v3M8 11.7h.01',
  restart: 'M13 8a5 5 0 1 1-1.5-3.6M13.2 2.2v2.9h-2.9',
  drain: 'M8 2.5v7M5 6.8 8 9.8l3-3M3 13h10',
  undo: 'M6.5 3.5 3 7l3.5 3.5M3 7h6a4 4 0 0 1 0 8',
  kill: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8zM5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8',
  weight: 'M8 3v10.5M4.5 13.5h7M3 4.5l10-0M3 4.5 1.5 9h3zM13 4.5 11.5 9h3z',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1',
  moon: 'M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6z',
  auto: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 2v12M8 5h4.8M8 8h6M8 11h4.8',
  leave: 'M9.5 3h-6v10h6M7 8h7M11.5 5.5 14 8l-2.5 2.5',
  fault: 'M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z',
  edit: 'M3 13l.6-2.8 7.2-7.2 2.2 2.2-7.2 7.2zM9.6 4.2l2.2 2.2',
  send: 'M2.5 8 14 2.5 10.5 13.5 8 9z',
  open: 'M6.5 3.5h-3v9h9v-3M9 2.8h4.2V7M13 3 7.5 8.5',
  cut: 'M2.5 8h3.2M10.3 8h3.2M6.6 5l2.8 6',
  trash: 'M3 4.5h10M6 4.5V2.8h4v1.7M4.2 4.5l.6 8.7h6.4l.6-8.7M6.8 7v4M9.2 7v4',
  eye: 'M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  play: 'M5 3.2v9.6l7.5-4.8z',
  pause: 'M5.5 3.2v9.6M10.5 3.2v9.6',
} as const

export type IconName = keyof typeof strokes

/** A small drawing beside words; it says nothing by itself. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={strokes[name]} />
    </svg>
  )
}
