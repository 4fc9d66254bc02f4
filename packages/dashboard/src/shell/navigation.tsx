import { useEffect, useRef } from 'preact/hooks'
import { Icon } from '../kit/icon.tsx'
import { parts } from '../live/instance.ts'
import { useStore } from '../live/store.ts'
import { linkTo, route } from './route.ts'
import { sections } from './sections.ts'

/** The pages that this instance has. */
export function Navigation() {
  const { section } = useStore(route)
  const running = useStore(parts)
  const bar = useRef<HTMLElement>(null)
  useEffect(() => {
    // On narrow screens the pages are a strip that is wider than the screen.
    bar.current
      ?.querySelector('[aria-current]')
      ?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [section, running.length])
  const shown = sections.filter(
    ({ part }) => part === undefined || running.some((one) => one.part === part),
  )
  return (
    <nav ref={bar} aria-label="Pages">
      {shown.map(({ name, title, icon }) => (
        <a key={name} href={linkTo(name)} aria-current={name === section ? 'page' : undefined}>
          <Icon name={icon} />
          {title}
        </a>
      ))}
    </nav>
  )
}
