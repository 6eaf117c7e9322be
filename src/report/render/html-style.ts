/** Style of the HTML report: system fonts, light and dark, the figure's greys follow the page. */
export const htmlStyle = `
:root { color-scheme: light dark; --page: #fff; --ink: #1b1b1b; --faint: #666; --line: #d5d5d5; --card: #fff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #16181b; --ink: #e8e8e8; --faint: #a0a4aa; --line: #3b3f45; --card: #22252a; --bad: #ff8a80; }
}
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 76rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
.problems { border-left: 4px solid var(--bad); padding: .2rem 1rem .2rem 2rem; margin: 1rem 0; }
.problems li { margin: .2rem 0; white-space: pre-line; }
.scroll { overflow-x: auto; margin-top: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
caption { text-align: left; font-weight: 600; padding-bottom: .4rem; }
th, td { padding: .15rem .6rem; font-weight: 400; text-align: left; }
thead th { border-bottom: 1px solid var(--ink); font-weight: 600; }
.number { text-align: right; }
tr.group > * { border-top: 1px solid var(--line); }
.mark-failed { color: var(--bad); }
.mark-missing, .mark-running, .mark-none { color: var(--faint); }
.notes { color: var(--faint); font-size: .87rem; padding-left: 1.1rem; }
summary { margin-top: 2rem; cursor: pointer; font-weight: 600; }
.figure { position: relative; margin: 0; touch-action: manipulation; }
.plate { margin: 2rem 0 0; }
:is(.figure, .plate) svg { max-width: 100%; height: auto; display: block; }
:is(.figure, .plate) svg > rect { fill: transparent; }
:is(.figure, .plate) svg text { fill: var(--ink); }
:is(.figure, .plate) .role-axis-grid line { stroke: var(--line); }
:is(.figure, .plate) :is(.role-axis-tick, .role-axis-domain) line { stroke: var(--faint); }
.figure [data-point] { cursor: pointer; outline: none; }
.figure [data-point].current { stroke: var(--ink); stroke-width: 2.5; opacity: 1; fill-opacity: 1; }
.card { position: absolute; z-index: 1; pointer-events: none; max-width: 20rem; padding: .5rem .7rem; border-radius: 6px;
  background: var(--card); border: 1px solid var(--line); box-shadow: 0 2px 10px #0004; font-size: .87rem; }
.card strong { display: block; }
.blocks { display: grid; grid-template-columns: auto 1fr; gap: .1rem .6rem; margin-top: .3rem; align-items: center; }
.blocks span:nth-child(even) { display: flex; gap: 2px; }
.blocks i { width: 9px; height: 9px; border: 1px solid var(--faint); border-radius: 2px; }
.blocks i.used { background: var(--ink); border-color: var(--ink); }
.hint { color: var(--faint); font-size: .87rem; }
`;
