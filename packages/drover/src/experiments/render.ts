import { createHash } from 'node:crypto'
import { drawChart } from './charts/charts.ts'
import { escapeHtml } from './charts/html-text.ts'
import { type Finished, isSound, type Report, type Table } from './report.ts'
import { style } from './style.ts'

const styleHash = createHash('sha256').update(style).digest('base64')

/** Nothing but the page's own style is taken, wherever the page is opened. */
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`

/** Returns one HTML page without anything from elsewhere: it can be mailed, and read offline. */
export function renderReport(finished: Finished): string {
  const { title, report, command, machine } = finished
  const { question, setup, findings, charts, tables } = report
  return page(
    title,
    `<article>
<h1>${escapeHtml(title)}</h1>
<p class="question">${escapeHtml(question)}</p>
<section><h2>Found</h2>${list(findings.map(capital))}</section>
${claims(report)}
${charts.map((chart) => `<figure>${drawChart(chart)}</figure>`).join('\n')}
${tables.map(renderTable).join('\n')}
${reported(report)}
<section><h2>How</h2>${list(setup)}</section>
<section><h2>Again</h2><pre>${escapeHtml(command)}</pre>${list(machine)}</section>
</article>
<footer>Made by drover on ${when(finished)}.</footer>`,
  )
}

/** What became of an experiment, for the page that lists them. */
export type Outcome =
  | { readonly finished: Finished; readonly file: string }
  | { readonly title: string; readonly failure: string }

/** Returns the page that links the reports of several experiments. */
export function renderIndex(outcomes: readonly Outcome[], command: string): string {
  const item = (outcome: Outcome) => {
    if ('failure' in outcome)
      return `<li><h2>${escapeHtml(outcome.title)}</h2><p><strong class="broken">✗ not carried out:</strong> ${escapeHtml(outcome.failure)}</p></li>`
    const { finished, file } = outcome
    const { title, report } = finished
    const broken = report.claims.filter(({ holds }) => !holds)
    const held = report.claims.length - broken.length
    const says = [
      ...broken.map(({ says }) => `<strong class="broken">✗</strong> ${escapeHtml(capital(says))}`),
      ...report.findings.map((text) => escapeHtml(capital(text))),
    ]
    return `<li><h2><a href="${encodeURI(file)}">${escapeHtml(title)}</a> ${isSound(finished) ? '' : '<strong class="broken">✗</strong>'}</h2>
<ul>${says.map((text) => `<li>${text}</li>`).join('')}</ul>
<p class="faint">${held} of ${report.claims.length} checks hold. ${when(finished)}</p></li>`
  }
  return page(
    "Drover's experiments",
    `<h1>Drover's experiments</h1>
<p class="question">Made by <code>${escapeHtml(command)}</code></p>
<ol class="index">${outcomes.map(item).join('\n')}</ol>`,
  )
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`
}

/** Returns a finding as it stands on a page, beginning with a capital. */
function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function claims({ claims }: Report): string {
  if (claims.length === 0) return ''
  const items = claims.map(({ says, holds }) => {
    const mark = holds ? '<strong class="sound">✓</strong>' : '<strong class="broken">✗</strong>'
    return `<li>${mark} ${escapeHtml(capital(says))}</li>`
  })
  return `<section><h2>Checked</h2><ul class="claims">${items.join('')}</ul></section>`
}

function reported({ reported = [] }: Report): string {
  const says =
    reported.length > 0
      ? list(reported)
      : '<p>No figures of the course’s document are at hand to set beside these.</p>'
  return `<section><h2>What the course’s document reports</h2>${says}</section>`
}

function when({ startedAtMs, tookMs }: Finished): string {
  const at = new Date(startedAtMs).toISOString().slice(0, 16).replace('T', ' ')
  return `${at} UTC, in ${(tookMs / 1_000).toFixed(1)} s`
}

/** Text that is set like a number. */
const figure = /^-?[\d.,]+( %)?$/

function renderTable({ title, heading, rows }: Table): string {
  const isNumber = (value: string | number) => typeof value === 'number' || figure.test(value)
  const cell = (value: string | number) => {
    const text = typeof value === 'number' ? value.toLocaleString('en') : escapeHtml(value)
    return isNumber(value) ? `<td class="number">${text}</td>` : `<td>${text}</td>`
  }
  const head = (text: string, column: number) => {
    const isFigures = rows.length > 0 && rows.every((row) => isNumber(row[column] ?? ''))
    return `<th${isFigures ? ' class="number"' : ''}>${escapeHtml(text)}</th>`
  }
  return `<section><h2>${escapeHtml(title)}</h2>
<table>
<thead><tr>${heading.map(head).join('')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}</tbody>
</table></section>`
}
