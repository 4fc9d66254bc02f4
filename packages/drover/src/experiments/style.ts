/** How reports look, in light and in dark. */
export const style = `
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
svg text.title { font-weight: 600; }
svg text.faint { fill: var(--faint); font-size: 12px; }
svg .grid { stroke: var(--line); }
svg .mark { stroke: var(--ink); stroke-width: 2; }
svg .band { fill: var(--line); opacity: .5; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); }
th { vertical-align: bottom; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { padding: .6rem .8rem; border: 1px solid var(--line); border-radius: 4px; overflow-x: auto; font-size: .85rem; }
.claims { list-style: none; padding-left: .2rem; }
.sound { color: var(--c2); }
.broken { color: var(--c1); }
.faint { color: var(--faint); font-size: .9rem; }
.index > li { margin-top: 1.5rem; }
a { color: var(--c0); }
footer { margin-top: 3rem; color: var(--faint); font-size: .9rem; }
`
