import { useEffect, useRef, useState } from 'preact/hooks'
import { now } from '../clock.ts'
import { Button } from '../kit/button.tsx'
import { plural } from '../kit/format.ts'
import { resolveColor } from '../kit/resolve-color.ts'
import { useStore } from '../live/store.ts'
import { isDark } from '../shell/theme.ts'
import { drawMap } from './draw-map.ts'
import type { Client, Fence } from './herd-api.ts'
import {
  type Degrees,
  pan,
  type Size,
  toDegrees,
  type View,
  viewOf,
  worldView,
  zoom,
} from './projection.ts'

interface WorldMapProps {
  readonly clients: ReadonlyMap<string, Client>
  readonly fences: readonly Fence[]
  /** The variable of a server's colour. */
  readonly colorOf: (server: string) => string
  /** Somebody pressed there. */
  readonly onPlace: (place: Degrees) => void
}

const glowMs = 900
/** With more clients than these, drawing all of them for each frame would make the page slow. */
const glowingMax = 1_000
/** A press that moves further than so many pixels drags the map. */
const dragPixels = 4
const zoomStep = 2
/** Where an arrow key leads, in parts of the map that is seen. */
const arrows: Readonly<Record<string, { readonly x: number; readonly y: number }>> = {
  ArrowLeft: { x: -0.2, y: 0 },
  ArrowRight: { x: 0.2, y: 0 },
  ArrowUp: { x: 0, y: -0.2 },
  ArrowDown: { x: 0, y: 0.2 },
}

/** Clients and fences on a grid of degrees; drag, zoom, and press to say where a client is. */
export function WorldMap({ clients, fences, colorOf, onPlace }: WorldMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const size = useSize(canvas)
  const [chosen, setView] = useState<View>()
  const view = chosen ?? worldView(size)
  const glow = useGlow(clients)
  const dark = useStore(isDark)
  useEffect(() => {
    const own = canvas.current
    const context = own?.getContext('2d')
    if (!own?.parentElement || !context) return
    const ratio = devicePixelRatio
    own.width = size.width * ratio
    own.height = size.height * ratio
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    const place = own.parentElement
    const colors = new Map<string, string>()
    const serverColor = (server: string) => {
      const known = colors.get(server) ?? resolveColor(place, colorOf(server))
      colors.set(server, known)
      return known
    }
    drawMap(context, {
      ...{ clients: clients.values(), fences, view, size, glow, colorOf: serverColor },
      grid: resolveColor(place, '--line'),
      text: resolveColor(place, '--muted'),
      fence: resolveColor(place, '--leaving'),
    })
  }, [clients, fences, view, size, glow, dark])
  const zoomBy = (factor: number) =>
    setView(zoom(view, factor, size, size.width / 2, size.height / 2))
  return (
    <div class="map">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Map with ${plural(clients.size, 'client')} and ${plural(fences.length, 'fence')}`}
        {...usePointer({ view, size, setView, onPlace })}
      />
      <fieldset
        class="map-buttons"
        aria-label="The map; arrow keys move it"
        onKeyDown={(event) => {
          const step = arrows[event.key]
          if (!step) return
          event.preventDefault()
          setView(pan(view, size, step))
        }}
      >
        <Button icon="plus" label="Closer" onPress={() => zoomBy(zoomStep)} />
        <Button icon="minus" label="Further away" onPress={() => zoomBy(1 / zoomStep)} />
        <Button
          icon="fit"
          label="All clients"
          onPress={() => setView(viewOf([...clients.values()], size))}
        />
      </fieldset>
    </div>
  )
}

/** The canvas' size on the page, in pixels of the style sheet. */
function useSize(canvas: { readonly current: HTMLCanvasElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 600, height: 300 })
  useEffect(() => {
    const own = canvas.current
    if (!own) return undefined
    const observer = new ResizeObserver(() =>
      setSize({ width: own.clientWidth, height: own.clientHeight }),
    )
    observer.observe(own)
    return () => observer.disconnect()
  }, [])
  return size
}

/** Who moved a moment ago; nobody where motion is not wanted. */
function useGlow(clients: ReadonlyMap<string, Client>): ReadonlyMap<string, number> {
  const seen = useRef<ReadonlyMap<string, Client>>(clients)
  const moved = useRef(new Map<string, number>())
  const [glow, setGlow] = useState<ReadonlyMap<string, number>>(new Map())
  useEffect(() => {
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
    if (isCalm || clients.size > glowingMax) return undefined
    for (const [id, client] of clients)
      if (seen.current.size > 0 && seen.current.get(id) !== client) moved.current.set(id, now())
    seen.current = clients
    let frame = 0
    const draw = () => {
      const nowMs = now()
      for (const [id, atMs] of moved.current) if (nowMs - atMs > glowMs) moved.current.delete(id)
      setGlow(new Map([...moved.current].map(([id, atMs]) => [id, 1 - (nowMs - atMs) / glowMs])))
      if (moved.current.size > 0) frame = requestAnimationFrame(draw)
    }
    if (moved.current.size > 0) frame = requestAnimationFrame(draw)
    return () => cancelAnimationFrame(frame)
  }, [clients])
  return glow
}

interface PointerParts {
  readonly view: View
  readonly size: Size
  readonly setView: (view: View) => void
  readonly onPlace: (place: Degrees) => void
}

/** Dragging, zooming by the wheel, and pressing. */
function usePointer({ view, size, setView, onPlace }: PointerParts) {
  const start = useRef<{ x: number; y: number; view: View; isDrag: boolean } | undefined>(undefined)
  return {
    onPointerDown: (event: PointerEvent) => {
      start.current = { x: event.offsetX, y: event.offsetY, view, isDrag: false }
      if (event.target instanceof Element) event.target.setPointerCapture(event.pointerId)
    },
    onPointerMove: (event: PointerEvent) => {
      const from = start.current
      if (!from) return
      const x = event.offsetX - from.x
      const y = event.offsetY - from.y
      if (!from.isDrag && Math.hypot(x, y) < dragPixels) return
      from.isDrag = true
      const center = toDegrees(size.width / 2 - x, size.height / 2 - y, from.view, size)
      setView({ ...from.view, center })
    },
    onPointerUp: (event: PointerEvent) => {
      if (start.current && !start.current.isDrag)
        onPlace(toDegrees(event.offsetX, event.offsetY, view, size))
      start.current = undefined
    },
    onPointerCancel: () => {
      start.current = undefined
    },
    // The plain wheel scrolls the page.
    onWheel: (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return
      event.preventDefault()
      const factor = event.deltaY < 0 ? 1.25 : 0.8
      setView(zoom(view, factor, size, event.offsetX, event.offsetY))
    },
  }
}
