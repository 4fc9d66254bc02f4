import { type Chart, drawChart } from './charts.ts'
import { escapeHtml } from './html-text.ts'

/** What an experiment found out. */
export interface Report {
  /** As on the command line: `a1`. */
  readonly name: string
  readonly title: string
  /** What it asks. */
  readonly question: string
  /** What was run and sent, so that somebody else can do it again. */
  readonly setup: readonly string[]
  /** The answer, in sentences with figures. */
  readonly findings: readonly string[]
  readonly charts: readonly Chart[]
  readonly tables: readonly Table[]
}

export interface Table {
  readonly title: string
  readonly heading: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

/** Returns one HTML page without anything from elsewhere: it can be mailed, and read offline. */
export function renderReports(reports: readonly Report[], madeAt: Date): string {
  const title = reports.map(({ title }) => title).join(' · ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${reports.map(renderReport).join('\n')}
<footer>Made by drover on ${escapeHtml(madeAt.toISOString().slice(0, 16).replace('T', ' '))} UTC.</footer>
</main>
</body>
</html>
`
}

function renderReport({ title, question, setup, findings, charts, tables }: Report): string {
  const list = (items: readonly string[]) =>
    `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`
  return `<article>
<h1>${escapeHtml(title)}</h1>
<p class="question">${escapeHtml(question)}</p>
<section><h2>Found</h2>${list(findings)}</section>
${charts.map((chart) => `<figure>${drawChart(chart)}</figure>`).join('\n')}
${tables.map(renderTable).join('\n')}
<section><h2>How</h2>${list(setup)}</section>
</article>`
}

function renderTable({ title, heading, rows }: Table): string {
  const cell = (value: string | number) =>
    typeof value === 'number'
      ? `<td class="number">${value.toLocaleString('en')}</td>`
      : `<td>${escapeHtml(value)}</td>`
  return `<section><h2>${escapeHtml(title)}</h2>
<table>
<thead><tr>${heading.map((text) => `<th>${escapeHtml(text)}</th>`).join('')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}</tbody>
</table></section>`
}

const style = `
:root { color-scheme: light dark; --ground: #fdfdfc; --ink: #1c1d21; --faint: #6a6d75; --line: #d9dadd;
  --c0: #2f6fb3; --c1: #c4622d; --c2: #3b8a5a; --c3: #8a4fa3; --c4: #b08a1e; --c5: #5a6b7b; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #16181c; --ink: #e7e8ea; --faint: #9a9da5; --line: #34373d;
    --c0: #6aa7e8; --c1: #e8915f; --c2: #6fc492; --c3: #c08bd8; --c4: #dcbc5a; --c5: #9fb0c0; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
article + article { margin-top: 4rem; padding-top: 2rem; border-top: 2px solid var(--line); }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.question { color: var(--faint); margin: 0; }
figure { margin: 1.5rem 0; overflow-x: auto; }
svg { display: block; width: 100%; min-width: 30rem; height: auto; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
svg text.faint { fill: var(--faint); font-size: 12px; }
svg .grid { stroke: var(--line); }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
footer { margin-top: 3rem; color: var(--faint); font-size: .9rem; }
`
