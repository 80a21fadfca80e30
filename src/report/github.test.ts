import { describe, expect, it } from 'vitest'
import { formatSummary } from './github.ts'
import { sampleRun } from './sample-run.ts'

describe('formatSummary', () => {
  const { report } = sampleRun()

  it('has a row per check, the reasons of what did not pass, and the network', () => {
    const summary = formatSummary(report)
    expect(summary).toContain(
      '| ❌ FAIL | d2 takes over the VIP 10.0.0.100 after the link of d1 fails | **outage: 4.20 s**<br>',
    )
    expect(summary).toContain('- ⚠️ **A client stays on its real server for 50 s**: The lab never became testable')
    expect(summary).toContain('h2 ---|"10.0.0.1"| n1')
    expect(summary).toContain('auth\\_type AH on VI\\_1')
  })

  it('keeps cells, markup, mentions and fences shut', () => {
    const summary = formatSummary(sampleRun(text => `${text}|<b>\n@all \`\`\`\`[x](http://x)`).report)
    const rows = summary.split('\n').filter(line => line.startsWith('| '))
    for (const row of rows) expect(row.replaceAll('\\|', '').match(/\|/g)).toHaveLength(5)
    const prose = summary.replace(/(`{3,})[a-z]*\n[\s\S]*?\n\1/g, '')
    expect(prose).not.toMatch(/<b>|@all|[^\\]\[x\]|http:\/\//)
    expect(summary).toContain('`````sh\n')
  })

  it('stays below what GitHub shows, and says so', () => {
    const [result] = report.results
    const summary = formatSummary({ ...report, results: Array.from({ length: 9000 }, () => result!) })
    expect(Buffer.byteLength(summary)).toBeLessThan(1024 * 1024)
    expect(summary).toContain('see report.html')
  })
})
