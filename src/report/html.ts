import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { JournalLine } from '../history/event.ts'
import { createPageData, type PageData } from './page-data.ts'
import type { CollectLimits } from './panel/collect.ts'
import { type RunReport, summaryLine } from './run.ts'

/** The page's script: modules for the browser, each after those that it imports. */
const SCRIPTS = ['dom.js', 'marks.js', 'state.js', 'layout.js', 'timeline.js', 'topology.js', 'page.js']

const asset = (name: string): Promise<string> => readFile(new URL(`./html/${name}`, import.meta.url), 'utf8')

/**
 * Modules cannot import each other inside one file: their imports and exports are dropped, their names share a scope.
 */
const joinModules = (modules: readonly string[]): string => {
  const bodies = modules.map(text => text.replaceAll(/^import\s[^']*'[^']*'\n/gm, '').replaceAll(/^export /gm, ''))
  return `(() => {\n'use strict'\n${bodies.join('\n')}\n})()\n`
}

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/**
 * JSON for a `<script>` element: without `<` nothing in it can end the element or open a comment. Object keys such as
 * `__proto__` are data to JSON.parse.
 */
export const scriptJson = (value: unknown): string => JSON.stringify(value).replaceAll('<', String.raw`\u003c`)

/** The page round its data. Nothing of the lab stands in its markup: names and texts travel in the JSON alone. */
const page = (data: PageData, fallback: string, style: string, script: string): string => {
  const policy = [
    "default-src 'none'",
    `script-src ${sha256(script)}`,
    `style-src ${sha256(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>lvslab report</title>
<style>${style}</style>
</head>
<body>
<main id="report">
<h1>lvslab: ${fallback}</h1>
<p>This page draws itself with a script, and the script did not run. Some CI servers forbid it for stored files (Jenkins
does): download the file and open it from disk.</p>
</main>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${script}</script>
</body>
</html>
`
}

/**
 * `report.html`: one file that opens from disk, loads nothing, and shows each check on the timeline of its lab. Text
 * from the lab is untrusted; it can neither run nor load anything: the policy allows one script and one style, by
 * hash. `lines` is read once; where reading it fails, the page says so and shows what was read.
 */
export const formatHtml = async (
  report: RunReport,
  lines: AsyncIterable<JournalLine> | Iterable<JournalLine>,
  limits?: CollectLimits,
): Promise<string> => {
  const [data, style, ...scripts] = await Promise.all([
    createPageData(report, lines, limits),
    asset('page.css'),
    ...SCRIPTS.map(asset),
  ])
  return page(data, `${report.outcome}, ${summaryLine(report)}`, style, joinModules(scripts))
}
