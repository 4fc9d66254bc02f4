/** A canvas knows no variables of the style sheet: an element has to say what the colour is now. */
export function resolveColor(place: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  place.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
