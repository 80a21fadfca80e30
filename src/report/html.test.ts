import { createHash } from 'node:crypto'
import { Script } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { formatHtml, scriptJson } from './html.ts'
import type { PageData } from './page-data.ts'
import { sampleRun } from './sample-run.ts'

const parts = (html: string) => {
  const script = /<script>([\s\S]*?)<\/script>/.exec(html)?.[1] ?? ''
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? ''
  const json = /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? ''
  return { script, style, json, data: JSON.parse(json) as PageData }
}
const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

describe('formatHtml', () => {
  it('is one file that may run and load nothing but its own script and style', async () => {
    const { report, lines } = sampleRun()
    const html = await formatHtml(report, lines)
    const { script, style, data } = parts(html)
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]
    expect(policy).toBe(
      `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`,
    )
    expect(html).not.toMatch(/\s(?:src|href|style|on\w+)=/)
    expect(() => new Script(script)).not.toThrow()
    expect(script).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|import\(/,
    )
    expect(data.servers).toEqual(['web1', 'web2', 'web3'])
    expect(data.checks[0]).toMatchObject({ outcome: 'FAIL', zero: { t: 5012, label: 'link-down on d1' } })
  })

  it('lets nothing of the lab become markup', async () => {
    const attack = `</script><img src=x onerror=alert(1)><!--<script>\u2028`
    const { report, lines } = sampleRun(text => text + attack)
    const html = await formatHtml(report, lines)
    expect(html).not.toContain('<img')
    expect(html.match(/<\/script>/g)).toHaveLength(2)
    const { json, data } = parts(html)
    expect(json).not.toContain('<')
    expect(data.checks[0]?.title).toContain('<img')
  })

  it('is a page also without events, checks or a readable journal', async () => {
    const { report } = sampleRun()
    expect(parts(await formatHtml(report, [])).data.labs['web-crash']).toMatchObject({ to: 0 })
    expect(parts(await formatHtml({ ...report, results: [] }, [])).data.checks).toEqual([])
    const failing = (async function* () {
      yield* []
      throw new Error('cannot read it')
    })()
    expect(parts(await formatHtml(report, failing)).data.notes[0]).toContain('cannot read it')
  })
})

it('scriptJson keeps its value', () => {
  const value = { a: '</script><!--', b: [1, null] }
  expect(JSON.parse(scriptJson(value))).toEqual(value)
})
