import { h, s, seconds } from './dom.js'
import { badge } from './marks.js'
import { Timeline } from './timeline.js'
import { drawTopology } from './topology.js'

// The page: header, checks, topology, one panel per check, what is untested.

const data = JSON.parse(document.getElementById('data').textContent)

const header = () =>
  h(
    'header',
    { class: data.outcome.toLowerCase() },
    h('h1', {}, badge(data.outcome), h('span', { class: 'title' }, data.title)),
    h('p', { class: 'summary' }, data.summary),
    h(
      'dl',
      { class: 'facts' },
      ...data.facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
    h('p', { class: 'command' }, 'Run it again: ', h('code', {}, data.command)),
    ...data.notes.map(note => h('p', { class: 'note' }, note)),
  )

const checksTable = () =>
  h(
    'section',
    { 'aria-labelledby': 'checks' },
    h('h2', { id: 'checks' }, 'Checks'),
    data.checks.length === 0
      ? h('p', { class: 'note' }, 'No check was made: this run proves nothing.')
      : h(
          'div',
          { class: 'scroll' },
          h(
            'table',
            {},
            h(
              'thead',
              {},
              h('tr', {}, ...['Verdict', 'Check', 'Measured', 'Bound'].map(name => h('th', { scope: 'col' }, name))),
            ),
            h('tbody', {}, ...data.checks.map(checkRow)),
          ),
        ),
  )

const checkRow = (check, i) => {
  const lines = check.measurements.length > 0 ? check.measurements : [undefined]
  return h(
    'tr',
    {},
    h('td', {}, badge(check.outcome)),
    h('th', { scope: 'row' }, h('a', { href: `#check-${i + 1}` }, check.title)),
    h(
      'td',
      {},
      ...lines.map(one =>
        h('div', one?.exceeds ? { class: 'bad' } : {}, one ? `${one.name}: ${one.measured}` : '\u2013'),
      ),
    ),
    h('td', {}, ...lines.map(one => h('div', { class: 'formula' }, one?.bound ?? '\u2013'))),
  )
}

// the value against its limits, as a bar; the words beside it say the same
const gauge = ({ value, min, max, exceeds }) => {
  if (max === undefined || !(max > 0) || !Number.isFinite(value)) return undefined
  const width = 220
  const scale = width / (Math.max(value, max) * 1.08)
  return s(
    'svg',
    { class: 'gauge', width, height: 16, viewBox: `0 0 ${width} 16`, 'aria-hidden': 'true' },
    s('rect', { class: 'track', x: 0, y: 5, width, height: 6, rx: 3 }),
    s('rect', {
      class: exceeds ? 'value bad' : 'value',
      x: 0,
      y: 5,
      width: Math.max(2, value * scale),
      height: 6,
      rx: 3,
    }),
    min > 0 ? s('path', { class: 'limit', d: `M${min * scale} 1V15` }) : undefined,
    s('path', { class: 'limit', d: `M${max * scale} 1V15` }),
  )
}

const measurements = check =>
  check.measurements.length === 0
    ? undefined
    : h(
        'ul',
        { class: 'measurements' },
        ...check.measurements.map(one =>
          h(
            'li',
            {},
            h('span', { class: 'name' }, one.name),
            h(
              'span',
              { class: one.exceeds ? 'measured bad' : 'measured' },
              one.measured,
              one.exceeds ? ' (not kept)' : '',
            ),
            gauge(one) ?? h('span', {}),
            h(
              'span',
              { class: 'formula' },
              one.bound ? `bound ${one.bound}` : 'no bound',
              one.source ? h('small', {}, one.source) : '',
            ),
          ),
        ),
      )

const proofList = (check, timeline) =>
  check.proof.length === 0
    ? h('p', { class: 'note' }, 'This check names no events.')
    : h(
        'ol',
        { class: 'proof-list' },
        ...check.proof.map(event => {
          const when = h(
            timeline ? 'button' : 'span',
            timeline ? { type: 'button', class: 'when' } : { class: 'when' },
            seconds(event.t - check.zero.t),
          )
          when.addEventListener('click', () => {
            if (!timeline) return
            const { a, b } = timeline.view
            if (event.t < a || event.t > b) timeline.zoom({ a: event.t - (b - a) / 2, b: event.t + (b - a) / 2 })
            timeline.pin(true, event.t)
            timeline.svg.focus()
          })
          return h('li', {}, when, h('span', { class: 'kind' }, event.kind), h('span', {}, event.text))
        }),
      )

const hasEvents = lab => lab !== undefined && (lab.to > 0 || lab.requests.t.length > 0 || lab.marks.length > 0)

const panel = (check, i) => {
  const lab = data.labs[check.lab]
  const body = h('div', { class: 'body' })
  const details = h(
    'details',
    { id: `check-${i + 1}`, class: `check ${check.outcome.toLowerCase()}` },
    h(
      'summary',
      {},
      badge(check.outcome),
      h('span', { class: 'title' }, check.title),
      h('span', { class: 'id' }, check.check),
    ),
    body,
  )
  // drawn when it is opened: a run may have a hundred checks
  let timeline
  const open = () => {
    if (body.childElementCount > 0) return
    timeline = hasEvents(lab) ? new Timeline(check, lab, data.servers) : undefined
    body.append(
      ...[
        h('p', { class: 'reason' }, check.reason),
        measurements(check),
        ...(lab?.troubles ?? []).map(({ t, text }) =>
          h('p', { class: 'note' }, `${seconds(t - check.zero.t)}: ${lab.strings[text]}`),
        ),
        timeline?.element ??
          h('p', { class: 'note' }, `The journal has no events of lab ${check.lab}: there is no timeline to draw.`),
        h('h4', {}, 'Events that prove it'),
        proofList(check, timeline),
        h('p', { class: 'small' }, `Lab ${check.lab}. The check took ${check.took} of real time on the host.`),
      ].filter(Boolean),
    )
    timeline?.draw()
  }
  details.addEventListener('toggle', () => {
    if (details.open) open()
  })
  details.show = () => {
    details.open = true
    open()
  }
  return details
}

const untested = () =>
  data.untested.length === 0
    ? undefined
    : h(
        'section',
        { 'aria-labelledby': 'untested' },
        h('h2', { id: 'untested' }, 'Untested'),
        h('p', {}, 'Promised by the configuration and not exercised by this run. It does not count as a pass.'),
        h('ul', {}, ...data.untested.map(({ what, why }) => h('li', {}, h('b', {}, what), `: ${why}`))),
      )

const main = document.getElementById('report')
const panels = data.checks.map(panel)
document.title = `${data.outcome}: ${data.title}`
main.replaceChildren(
  ...[
    header(),
    checksTable(),
    h(
      'section',
      { 'aria-labelledby': 'topology' },
      h('h2', { id: 'topology' }, 'Topology'),
      h('div', { class: 'scroll' }, drawTopology(data.topology)),
    ),
    panels.length > 0
      ? h('section', { 'aria-labelledby': 'evidence' }, h('h2', { id: 'evidence' }, 'Evidence'), ...panels)
      : undefined,
    untested(),
  ].filter(Boolean),
)

// what did not pass is what people came for
const first = panels.filter((_, i) => data.checks[i].outcome !== 'PASS')
for (const details of first.length > 0 ? first.slice(0, 5) : panels.slice(0, 1)) details.show()

const follow = () => panels.find(({ id }) => `#${id}` === location.hash)?.show()
addEventListener('hashchange', follow)
main.addEventListener('click', event => {
  const link = event.target.closest?.('a')
  if (link) panels.find(({ id }) => `#${id}` === link.hash)?.show()
})
follow()
addEventListener('beforeprint', () => {
  for (const details of panels) details.show()
})
