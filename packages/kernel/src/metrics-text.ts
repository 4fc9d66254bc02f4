type Labels = Readonly<Record<string, string>>

/**
 * Writes Prometheus' text format (version 0.0.4): each metric once, followed by all of its series.
 * For figures that are known when they are asked for; nothing is counted here.
 */
export class MetricsText {
  static readonly contentType = 'text/plain; version=0.0.4; charset=utf-8'
  readonly #lines: string[] = []
  #name = ''

  /** Begins a metric; the series that follow belong to it. */
  metric(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): this {
    this.#name = name
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    return this
  }

  /** Adds a series; `suffix` is for the parts of a histogram, as `_bucket`. */
  series(labels: Labels, value: number, suffix = ''): this {
    const text = Object.entries(labels)
      .map(([label, own]) => `${label}="${escapeLabel(own)}"`)
      .join(',')
    this.#lines.push(`${this.#name}${suffix}${text === '' ? '' : `{${text}}`} ${value}`)
    return this
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`
  }
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
