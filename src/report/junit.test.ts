import { describe, expect, it } from 'vitest'
import { formatJunit } from './junit.ts'
import { sampleRun } from './sample-run.ts'
import { element, escapeAttribute, escapeText } from './xml.ts'

describe('xml', () => {
  it('escapes what XML reads and shows what it cannot hold', () => {
    expect(escapeText('<a>&"]]>\n\t')).toBe('&lt;a&gt;&amp;"]]&gt;\n\t')
    expect(escapeText('\u0000\u001b\u007f\u0085\ud800\ufffe')).toBe('\u2400\u241b\u2421\ufffd\ufffd\ufffd')
    expect(escapeAttribute('"\n\t<')).toBe('&quot;&#10;&#9;&lt;')
  })

  it('indents tags and leaves text as it is', () => {
    expect(
      element('a', { x: 1, y: undefined }, [element('b', {}, 'one\ntwo'), element('c', {}, [element('d', {})])]),
    ).toBe('<a x="1">\n  <b>one\ntwo</b>\n  <c>\n    <d/>\n  </c>\n</a>')
  })
})

describe('formatJunit', () => {
  it('tells failures, doubts and what is untested apart', () => {
    const xml = formatJunit(sampleRun().report)
    expect(xml).toContain('tests="4" failures="1" errors="1" skipped="1" time="48.210"')
    expect(xml.match(/<testcase /g)).toHaveLength(4)
    expect(xml).toContain('<failure type="fail" message="Nobody answered the VIP for 4.20 s;')
    expect(xml).toContain('<error type="inconclusive" message="The lab never became testable')
    expect(xml).toContain('<skipped message="AH needs')
    expect(xml).toContain('<property name="outage" value="4.20 s"/>')
    expect(xml).toContain(
      '<property name="outage (bound)" value="at most 3.74 s: 3 x 1 s + (256-80)/256 s = 3.69 s, + 0.05 s probe step"/>',
    )
    expect(xml).toContain('<property name="engine.kernel" value="6.12.30"/>')
  })

  it('holds no markup and no control character of the lab', () => {
    const xml = formatJunit(sampleRun(text => `${text}</failure><x a="1">\u0000\u001b]]>`).report)
    expect(xml).not.toContain('<x')
    expect(xml).not.toMatch(/(?!\n)\p{Cc}/u)
  })
})
