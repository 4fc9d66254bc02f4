import type { Client, Fence } from './herd-api.ts'
import { gridStep, piecesOf, type Size, toPixels, type View } from './projection.ts'

/** What is drawn, and in which colours. */
export interface Drawing {
  readonly clients: Iterable<Client>
  readonly fences: readonly Fence[]
  readonly view: View
  readonly size: Size
  readonly colorOf: (server: string) => string
  readonly grid: string
  readonly text: string
  readonly fence: string
  /** Client to how much of its last move is still to be seen, from 1 to 0. */
  readonly glow: ReadonlyMap<string, number>
}

const kmPerDegree = 111.195
/** With more than these their names would cover each other. */
const namedMax = 40
/** With more than these a client is a speck: circles cost five times as much. */
const roundMax = 1_000

/** Draws grid, fences and clients. */
export function drawMap(context: CanvasRenderingContext2D, drawing: Drawing): void {
  const { size } = drawing
  context.clearRect(0, 0, size.width, size.height)
  drawGrid(context, drawing)
  for (const fence of drawing.fences) drawFence(context, fence, drawing)
  const clients = [...drawing.clients]
  const draw = clients.length > roundMax ? drawSpeck : drawClient
  for (const client of clients) draw(context, client, drawing)
  if (clients.length <= namedMax) for (const client of clients) drawName(context, client, drawing)
}

function drawGrid(context: CanvasRenderingContext2D, drawing: Drawing): void {
  const { view, size, grid, text } = drawing
  const corner = toPixels({ latitude: 90, longitude: -180 }, view, size)
  context.save()
  context.beginPath()
  context.rect(corner.x - 1, corner.y - 1, 360 * view.scale + 2, 180 * view.scale + 2)
  context.clip()
  const step = gridStep(view, size)
  const digits = Math.max(0, Math.ceil(-Math.log10(step)))
  context.strokeStyle = grid
  context.fillStyle = text
  context.lineWidth = 1
  context.font = '10.5px system-ui, sans-serif'
  const across = size.width / 2 / view.scale
  const along = size.height / 2 / view.scale
  for (const longitude of linesBetween(
    view.center.longitude - across,
    view.center.longitude + across,
    step,
    180,
  )) {
    const { x } = toPixels({ latitude: 0, longitude }, view, size)
    line(context, x, 0, x, size.height)
    context.fillText(degrees(longitude, digits, 'E', 'W'), x + 3, size.height - 4)
  }
  for (const latitude of linesBetween(
    view.center.latitude - along,
    view.center.latitude + along,
    step,
    90,
  )) {
    const { y } = toPixels({ latitude, longitude: 0 }, view, size)
    line(context, 0, y, size.width, y)
    context.fillText(degrees(latitude, digits, 'N', 'S'), Math.max(4, corner.x + 4), y - 3)
  }
  context.restore()
}

function linesBetween(from: number, to: number, step: number, most: number): number[] {
  const least = Math.max(-most, from)
  const first = Math.ceil(least / step)
  const last = Math.floor(Math.min(most, to) / step)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step)
}

function line(context: CanvasRenderingContext2D, x: number, y: number, toX: number, toY: number) {
  context.beginPath()
  context.moveTo(Math.round(x) + 0.5, Math.round(y) + 0.5)
  context.lineTo(Math.round(toX) + 0.5, Math.round(toY) + 0.5)
  context.stroke()
}

function degrees(value: number, digits: number, above: string, below: string): string {
  const word = value === 0 ? '' : value > 0 ? above : below
  return `${Math.abs(value).toFixed(digits)}°${word}`
}

function drawFence(context: CanvasRenderingContext2D, fence: Fence, drawing: Drawing): void {
  const { view, size } = drawing
  context.strokeStyle = drawing.fence
  context.fillStyle = drawing.fence
  context.lineWidth = 1.5
  context.setLineDash([5, 4])
  context.beginPath()
  const { circle, box } = fence
  const corner = {
    latitude: box?.north ?? circle?.latitude ?? 0,
    longitude: box?.west ?? circle?.longitude ?? 0,
  }
  const { x, y } = toPixels(corner, view, size)
  for (const { west, north, south, east } of box ? piecesOf(box) : []) {
    const from = toPixels({ latitude: north, longitude: west }, view, size)
    context.rect(from.x, from.y, (east - west) * view.scale, (north - south) * view.scale)
  }
  if (circle) {
    const along = (circle.radiusKm / kmPerDegree) * view.scale
    const across = along / Math.max(0.01, Math.cos((circle.latitude * Math.PI) / 180))
    context.ellipse(x, y, Math.max(3, across), Math.max(3, along), 0, 0, 2 * Math.PI)
  }
  context.stroke()
  context.globalAlpha = 0.09
  context.fill()
  context.globalAlpha = 1
  context.setLineDash([])
  context.font = '600 11px system-ui, sans-serif'
  const above = circle ? (circle.radiusKm / kmPerDegree) * view.scale : 0
  context.fillText(fence.id, x + 4, y - above - 5)
}

function drawClient(context: CanvasRenderingContext2D, client: Client, drawing: Drawing): void {
  const { x, y } = toPixels(client, drawing.view, drawing.size)
  const glow = drawing.glow.get(client.client) ?? 0
  context.fillStyle = drawing.colorOf(client.server)
  if (glow > 0) {
    context.globalAlpha = glow * 0.35
    dot(context, x, y, 4 + (1 - glow) * 14)
    context.globalAlpha = 1
  }
  dot(context, x, y, 3.5)
}

function drawSpeck(context: CanvasRenderingContext2D, client: Client, drawing: Drawing): void {
  const { x, y } = toPixels(client, drawing.view, drawing.size)
  context.fillStyle = drawing.colorOf(client.server)
  context.fillRect(x - 1.5, y - 1.5, 3, 3)
}

function drawName(context: CanvasRenderingContext2D, client: Client, drawing: Drawing): void {
  const { x, y } = toPixels(client, drawing.view, drawing.size)
  context.fillStyle = drawing.text
  context.font = '11px system-ui, sans-serif'
  context.fillText(client.client.slice(0, 24), x + 7, y + 4)
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
  context.fill()
}
