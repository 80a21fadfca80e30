import { clamp, h, lastBefore, s, seconds, shorten } from './dom.js'
import { FAILURE_NAMES, failureShape, fixed, serverClass, serverShape } from './marks.js'
import { inSpan, isFailed, requestText, stateAt, timeOf } from './state.js'
import { GUTTER, RIGHT, focusOf, layoutLanes, tickStep } from './layout.js'

// One lab's timeline for one check: SVG lanes, a cursor that tells the state at its moment, zoom by drag.

const MIN_RANGE = 5
let clipNumber = 0

export class Timeline {
  constructor(check, lab, servers) {
    this.check = check
    this.lab = lab
    this.servers = servers
    this.layout = layoutLanes(lab, servers)
    const { whole, focus } = focusOf(check, lab)
    this.whole = whole
    this.view = focus
    this.cursor = check.zero.t
    this.pinned = false
    this.clip = `plot-${clipNumber++}`
    this.build()
  }

  build() {
    this.svg = s('svg', {
      class: 'timeline',
      tabindex: 0,
      role: 'application',
      'aria-roledescription': 'timeline',
      'aria-label':
        'Timeline of the lab. Arrow keys move the cursor, plus and minus zoom, 0 shows everything. ' +
        'The state at the cursor follows below.',
    })
    this.tip = h('div', { class: 'tip', hidden: true, 'aria-hidden': 'true' })
    this.wrap = h('div', { class: 'plot' }, this.svg, this.tip)
    this.stateBox = h('div', { class: 'state', role: 'status', 'aria-live': 'off' })
    const button = (text, action) => {
      const element = h('button', { type: 'button' }, text)
      element.addEventListener('click', action)
      return element
    }
    this.hint = h('span', { class: 'hint' }, 'Drag to zoom, double click to reset, click to pin the cursor.')
    this.toolbar = h(
      'div',
      { class: 'toolbar' },
      button('Whole lab', () => this.zoom(this.whole)),
      button('Proof', () => this.zoom(focusOf(this.check, this.lab).focus)),
      button('\u2212', () => this.zoomBy(2)),
      button('+', () => this.zoomBy(0.5)),
      this.hint,
    )
    this.element = h('div', { class: 'timeline-box' }, this.toolbar, this.wrap, this.legend(), this.stateBox)
    this.listen()
    new ResizeObserver(() => {
      if (this.wrap.clientWidth > 0 && this.wrap.clientWidth !== this.width) this.draw()
    }).observe(this.wrap)
  }

  x(t) {
    return GUTTER + ((t - this.view.a) / (this.view.b - this.view.a)) * this.plotWidth
  }

  t(x) {
    return this.view.a + ((x - GUTTER) / this.plotWidth) * (this.view.b - this.view.a)
  }

  zoom({ a, b }) {
    const range = clamp(b - a, MIN_RANGE, this.whole.b - this.whole.a)
    const start = clamp(a, this.whole.a, this.whole.b - range)
    this.view = { a: start, b: start + range }
    this.draw()
  }

  zoomBy(factor) {
    const range = (this.view.b - this.view.a) * factor
    const middle = clamp(this.cursor, this.view.a, this.view.b)
    this.zoom({
      a: middle - ((middle - this.view.a) / (this.view.b - this.view.a)) * range,
      b: middle + ((this.view.b - middle) / (this.view.b - this.view.a)) * range,
    })
  }

  draw() {
    this.width = Math.max(640, this.wrap.clientWidth || 1100)
    this.plotWidth = this.width - GUTTER - RIGHT
    this.hits = []
    const bands = this.placeBands()
    this.proofY = 6 + bands.rows * 16
    this.top = this.proofY + (this.check.proof.length > 0 ? 20 : 4)
    this.bottom = this.top + this.layout.height
    this.height = this.bottom + 38
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${this.height}`)
    this.svg.setAttribute('height', this.height)
    const inPlot = s('g', { 'clip-path': `url(#${this.clip})` })
    inPlot.append(...this.drawRows(), ...this.drawBands(bands.placed), ...this.drawGrid(), ...this.drawMarks())
    for (const lane of this.layout.lanes) inPlot.append(...this.drawLane(lane))
    this.cursorLine = s('line', { class: 'cursor', y1: this.proofY, y2: this.bottom })
    this.selection = s('rect', { class: 'selection', y: this.top, height: this.layout.height, width: 0 })
    inPlot.append(...this.drawProof(), this.selection, this.cursorLine)
    this.svg.replaceChildren(
      s(
        'defs',
        {},
        this.clipPath(this.clip, GUTTER, this.plotWidth),
        this.clipPath(`${this.clip}-labels`, 0, GUTTER - 6),
      ),
      s('g', { 'clip-path': `url(#${this.clip}-labels)` }, ...this.drawLabels()),
      inPlot,
      ...this.drawAxis(),
    )
    this.moveCursor(this.cursor)
  }

  clipPath(id, x, width) {
    return s('clipPath', { id }, s('rect', { x, y: 0, width, height: this.height }))
  }

  placeBands() {
    const ends = []
    const placed = this.lab.bands.map(band => {
      const a = this.x(band.a)
      const b = band.b === null ? this.x(this.whole.b) : this.x(band.b)
      const text = shorten(band.b === null ? `${band.label} (not healed)` : band.label, 44)
      if (b < GUTTER || a > GUTTER + this.plotWidth) return { band, a, b, text, row: -1 }
      const start = clamp(a, GUTTER, this.width - RIGHT - text.length * 6.4 - 8)
      let row = ends.findIndex(end => end < start)
      if (row < 0) row = ends.length < 5 ? ends.push(0) - 1 : 4
      ends[row] = start + text.length * 6.4 + 14
      return { band, a, b, text, start, row }
    })
    return { placed, rows: Math.max(ends.length, this.lab.bands.length > 0 ? 1 : 0) }
  }

  drawBands(placed) {
    return placed
      .filter(({ row }) => row >= 0)
      .flatMap(({ band, a, b, text, start, row }) => {
        const y = 4 + row * 16
        const lines = [
          `${band.label}`,
          `injected ${this.moment(band.a)}, in effect by ${this.moment(band.took)}`,
          band.b === null ? 'never healed in this journal' : `healed ${this.moment(band.b)}`,
          band.detail,
        ]
        this.hits.push({
          y0: y,
          y1: y + 15,
          at: x => (x >= Math.min(a, start) - 2 && x <= Math.max(b, start + text.length * 6.4) ? lines : undefined),
        })
        return [
          s('rect', { class: 'band', x: a, y: y + 14, width: Math.max(1.5, b - a), height: this.bottom - y - 14 }),
          s('path', { class: 'band-edge', d: `M${a} ${y}V${this.bottom}` }),
          band.b === null ? undefined : s('path', { class: 'band-edge heal', d: `M${b} ${y + 14}V${this.bottom}` }),
          s('text', { class: 'band-label', x: start + 4, y: y + 11 }, `\u26a1 ${text}`),
        ].filter(Boolean)
      })
  }

  ticks() {
    const step = tickStep(this.view.b - this.view.a, Math.max(3, this.plotWidth / 90))
    const { t: zero } = this.check.zero
    const ticks = []
    for (let i = Math.ceil((this.view.a - zero) / step); zero + i * step <= this.view.b; i++) ticks.push(i * step)
    return { ticks, decimals: Math.max(0, -Math.floor(Math.log10(step / 1000) + 1e-9)) }
  }

  // under the bands of faults, which must show through every lane
  drawRows() {
    return this.layout.lanes.map(lane =>
      s('rect', { class: 'lane', x: GUTTER, y: this.top + lane.y, width: this.plotWidth, height: lane.height }),
    )
  }

  drawGrid() {
    const { t: zero } = this.check.zero
    return this.ticks().ticks.map(tick => {
      const x = this.x(zero + tick)
      return s('path', { class: tick === 0 ? 'grid zero' : 'grid', d: `M${x} ${this.top}V${this.bottom}` })
    })
  }

  drawAxis() {
    const { ticks, decimals } = this.ticks()
    const labels = ticks.map(tick => {
      const text = tick === 0 ? '0' : `${tick < 0 ? '\u2212' : ''}${(Math.abs(tick) / 1000).toFixed(decimals)}`
      return s(
        'text',
        { class: 'tick', x: this.x(this.check.zero.t + tick), y: this.bottom + 14, 'text-anchor': 'middle' },
        text,
      )
    })
    const title = `s on the lab's clock, since ${this.check.zero.label}`
    return [
      s('path', { class: 'axis', d: `M${GUTTER} ${this.bottom}H${GUTTER + this.plotWidth}` }),
      ...labels,
      s(
        'text',
        { class: 'axis-title', x: GUTTER + this.plotWidth / 2, y: this.bottom + 31, 'text-anchor': 'middle' },
        title,
      ),
    ]
  }

  drawLabels() {
    const heads = this.layout.groups.map(({ title, y }) =>
      s('text', { class: 'group', x: 4, y: this.top + y + 12 }, title),
    )
    const labels = this.layout.lanes.map(lane => {
      const y = this.top + lane.y + lane.height / 2 + 4
      const main = shorten(lane.main, 14)
      const text = s('text', { class: 'lane-label', x: 24, y }, s('tspan', { class: 'main' }, main))
      if (lane.sub) text.append(s('tspan', { class: 'sub', dx: 6 }, shorten(lane.sub, 28 - main.length)))
      text.append(s('title', {}, lane.detail ?? `${lane.main} ${lane.sub ?? ''}`))
      return [this.key(lane, 13, y - 4), text]
    })
    return [...heads, ...labels.flat().filter(Boolean)]
  }

  key(lane, x, y) {
    if (lane.type === 'requests')
      return s('path', { class: serverClass(lane.index), d: serverShape(lane.index, x, y, 4) })
    if (lane.type === 'failed') return s('path', { class: 'failed', d: failureShape('timeout', x, y, 3.6) })
    if (lane.type === 'pool' && lane.index >= 0) {
      return s('path', { class: serverClass(lane.index), d: serverShape(lane.index, x, y, 4) })
    }
    return undefined
  }

  drawMarks() {
    return this.lab.marks.map(mark => s('path', { class: 'mark', d: `M${this.x(mark.t)} ${this.top}V${this.bottom}` }))
  }

  drawLane(lane) {
    const y = this.top + lane.y
    if (lane.type === 'requests' || lane.type === 'failed') return this.drawRequests(lane, y)
    if (lane.type === 'adverts') return this.drawAdverts(lane, y)
    return this.drawBars(lane, y)
  }

  drawBars(lane, y) {
    this.hits.push({
      y0: y,
      y1: y + lane.height,
      at: (_x, t) => {
        const span = lane.spans.find(one => inSpan(one, t))
        if (!span)
          return [lane.detail, lane.type === 'vip' ? 'not held at this moment' : 'not in the table at this moment']
        return [
          lane.detail,
          span.text ? `weight ${span.text.slice(2)}${span.hollow ? ' (quiesced)' : ''}` : '',
          `from ${span.a === null ? 'before the first event' : this.moment(span.a)}`,
          `to ${span.b === null ? 'the end of the journal' : this.moment(span.b)}`,
        ]
      },
    })
    const drawn = lane.spans.flatMap(span => {
      const a = clamp(span.a === null ? -Infinity : this.x(span.a), GUTTER - 8, this.width + 8)
      const b = clamp(span.b === null ? Infinity : this.x(span.b), GUTTER - 8, this.width + 8)
      if (b < GUTTER || a > GUTTER + this.plotWidth) return []
      const kind = lane.type === 'vip' ? 'vip' : `pool ${serverClass(lane.index)}`
      const rect = s('rect', {
        class: `bar ${kind}${span.hollow ? ' hollow' : ''}`,
        x: a,
        y: y + 3,
        width: Math.max(1.5, b - a),
        height: lane.height - 6,
        rx: 2,
      })
      const text =
        lane.type === 'vip' ? `${lane.main} holds the VIP` : `${span.text ?? ''}${span.hollow ? ' (quiesced)' : ''}`
      const start = Math.max(a, GUTTER) + 6
      const fits = Math.min(b, GUTTER + this.plotWidth) - start > text.length * 6.2
      const label = s('text', { class: `bar-label ${lane.type}`, x: start, y: y + lane.height / 2 + 3.5 }, text)
      return fits ? [rect, label] : [rect]
    })
    if (lane.type !== 'vip') return drawn
    const garps = this.lab.garps.filter(({ node }) => node === lane.main)
    const d = this.sparse(garps, x => `M${fixed(x)} ${y + 1}v${lane.height - 2}`)
    return [...drawn, s('path', { class: 'garp', d })]
  }

  // moments closer than a pixel are one stroke
  sparse(items, stroke) {
    let path = ''
    let last = -Infinity
    for (const item of items) {
      const x = this.x(item.t)
      if (x - last < 0.8 || x < GUTTER - 4 || x > this.width) continue
      last = x
      path += stroke(x)
    }
    return path
  }

  drawAdverts(lane, y) {
    const near = (items, t) => {
      const i = lastBefore(items, t, timeOf)
      return [items[i], items[i + 1]].filter(Boolean).sort((a, b) => Math.abs(a.t - t) - Math.abs(b.t - t))[0]
    }
    const states = this.lab.transitions.filter(({ node }) => node === lane.main)
    this.hits.push({
      y0: y,
      y1: y + lane.height,
      at: (x, t) => {
        const advert = near(lane.items, t)
        const state = near(states, t)
        const lines = []
        if (state && Math.abs(this.x(state.t) - x) < 8) lines.push(this.moment(state.t), this.lab.strings[state.text])
        if (advert && Math.abs(this.x(advert.t) - x) < 8)
          lines.push(this.moment(advert.t), this.lab.strings[advert.text])
        return lines.length > 0 ? lines : undefined
      },
    })
    const middle = y + lane.height / 2
    const alive = lane.items.filter(({ priority }) => priority > 0)
    const leaving = lane.items.filter(({ priority }) => priority === 0)
    return [
      s('path', { class: 'advert', d: this.sparse(alive, x => `M${fixed(x)} ${middle - 6}v12`) }),
      s('path', {
        class: 'advert zero',
        d: this.sparse(leaving, x => `M${fixed(x)} ${middle - 9}v18M${fixed(x) - 4} ${middle + 3}l4 6l4 -6`),
      }),
      ...leaving
        .slice(0, 20)
        .map(item => s('text', { class: 'small bad', x: this.x(item.t) + 6, y: middle + 4 }, 'prio 0')),
      ...states.slice(0, 200).map(item => {
        const x = this.x(item.t)
        return s(
          'g',
          { class: `transition ${item.state.toLowerCase()}` },
          s('rect', { x: x - 6.5, y: middle - 8, width: 13, height: 16, rx: 3 }),
          s('text', { x, y: middle + 4, 'text-anchor': 'middle' }, item.state[0]),
        )
      }),
    ]
  }

  drawRequests(lane, y) {
    const { t, done } = this.lab.requests
    const { items } = lane
    const first = Math.max(
      0,
      lastBefore(items, this.view.a, i => t[i]),
    )
    const last = Math.min(items.length - 1, lastBefore(items, this.view.b, i => t[i]) + 1)
    const middle = y + lane.height / 2
    // three rows where one would run into a line
    const dense = last - first > this.plotWidth / 8
    const rowOf = at => middle + (dense ? ((at % 3) - 1) * 7.5 : 0)
    const paths = new Map()
    let whiskers = ''
    const lastX = [-Infinity, -Infinity, -Infinity]
    for (let at = first; at <= last; at++) {
      const i = items[at]
      const x = this.x(t[i])
      const end = this.x(done[i])
      const row = rowOf(at)
      const outcome = this.lab.strings[this.lab.requests.outcome[i]]
      if (end - x > 5) whiskers += `M${fixed(x)} ${fixed(row)}H${fixed(end)}`
      const slot = dense ? at % 3 : 0
      if (x - lastX[slot] < 0.8) continue
      lastX[slot] = x
      const d =
        lane.type === 'failed'
          ? failureShape(outcome, x, row, dense ? 2.3 : 3.2)
          : serverShape(lane.index, x, row, dense ? 2.4 : 3.2)
      paths.set(outcome, (paths.get(outcome) ?? '') + d)
    }
    this.hits.push({
      y0: y,
      y1: y + lane.height,
      at: (x, time, mouseY) => {
        const from = lastBefore(items, time, i => t[i])
        let best
        let distance = 12
        for (let at = Math.max(0, from - 40); at <= Math.min(items.length - 1, from + 40); at++) {
          const i = items[at]
          const d = Math.hypot(this.x(t[i]) - x, rowOf(at) - mouseY)
          if (d < distance) {
            best = i
            distance = d
          }
        }
        return best === undefined ? undefined : this.describeRequest(best)
      },
    })
    const kind = lane.type === 'failed' ? 'failed' : serverClass(lane.index)
    return [
      s('path', { class: `whisker ${kind}`, d: whiskers }),
      ...[...paths.values()].map(d => s('path', { class: kind, d })),
    ]
  }

  describeRequest(i) {
    const { requests, strings } = this.lab
    const detail = strings[requests.detail[i]]
    return [
      this.moment(requests.t[i]),
      requestText(this.lab, i),
      `${strings[requests.source[i]] ?? ''} \u2192 ${strings[requests.target[i]] ?? ''}`,
      `probe ${strings[requests.probe[i]] ?? ''}`,
      detail ? shorten(detail, 160) : '',
    ]
  }

  drawProof() {
    const placed = []
    return this.check.proof.flatMap((event, i) => {
      const x = this.x(event.t)
      if (x < GUTTER - 1 || x > this.width) return []
      const level = placed.some(other => Math.abs(other - x) < 15)
      placed.push(x)
      const shift = level ? placed.filter(other => Math.abs(other - x) < 15).length - 1 : 0
      const cx = Math.min(x + shift * 16, this.width - RIGHT - 8)
      const cy = this.proofY + 9
      const lines = [`Proof ${i + 1}, ${this.moment(event.t)}`, event.text]
      this.hits.unshift({
        y0: this.proofY,
        y1: this.proofY + 19,
        at: mouse => (Math.abs(mouse - cx) < 8 ? lines : undefined),
      })
      return [
        s('path', { class: 'proof-line', d: `M${cx} ${cy}L${x} ${this.top}V${this.bottom}` }),
        s('circle', { class: 'proof', cx, cy, r: 7.5 }),
        s('text', { class: 'proof-number', x: cx, y: cy + 3.5, 'text-anchor': 'middle' }, i + 1),
      ]
    })
  }

  moment(t) {
    return seconds(t - this.check.zero.t)
  }

  listen() {
    let start
    const place = event => {
      const box = this.svg.getBoundingClientRect()
      const scale = this.width / box.width
      return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale }
    }
    this.svg.addEventListener('pointermove', event => {
      const at = place(event)
      if (start !== undefined) this.select(start, at.x)
      if (!this.pinned && at.x >= GUTTER) this.moveCursor(this.t(at.x))
      this.showTip(at)
    })
    this.svg.addEventListener('pointerleave', () => {
      this.tip.hidden = true
    })
    this.svg.addEventListener('pointerdown', event => {
      const { x } = place(event)
      if (event.button !== 0 || x < GUTTER) return
      start = x
      this.svg.setPointerCapture(event.pointerId)
    })
    this.svg.addEventListener('pointerup', event => {
      if (start === undefined) return
      const { x } = place(event)
      const [a, b] = [Math.max(GUTTER, Math.min(start, x)), Math.max(start, x)]
      start = undefined
      this.selection.setAttribute('width', 0)
      if (b - a > 6) this.zoom({ a: this.t(a), b: this.t(b) })
      else this.pin(!this.pinned, this.t(x))
    })
    this.svg.addEventListener('pointercancel', () => {
      start = undefined
      this.selection.setAttribute('width', 0)
    })
    this.svg.addEventListener('dblclick', () => {
      this.pin(false, this.cursor)
      this.zoom(this.whole)
    })
    this.svg.addEventListener('keydown', event => this.key_(event))
  }

  key_(event) {
    const step = ((this.view.b - this.view.a) / 100) * (event.shiftKey ? 10 : 1)
    const actions = {
      ArrowLeft: () => this.pin(true, Math.max(this.view.a, this.cursor - step)),
      ArrowRight: () => this.pin(true, Math.min(this.view.b, this.cursor + step)),
      '+': () => this.zoomBy(0.5),
      '=': () => this.zoomBy(0.5),
      '-': () => this.zoomBy(2),
      0: () => this.zoom(this.whole),
      Escape: () => this.pin(false, this.cursor),
    }
    const action = actions[event.key]
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    this.stateBox.setAttribute('aria-live', 'polite')
    action()
  }

  select(from, to) {
    const a = clamp(Math.min(from, to), GUTTER, this.width)
    this.selection.setAttribute('x', a)
    this.selection.setAttribute('width', Math.max(0, clamp(Math.max(from, to), GUTTER, this.width) - a))
  }

  pin(pinned, t) {
    this.pinned = pinned
    this.svg.classList.toggle('pinned', pinned)
    this.moveCursor(t)
  }

  moveCursor(t) {
    this.cursor = t
    const x = this.x(t)
    this.cursorLine.setAttribute('x1', x)
    this.cursorLine.setAttribute('x2', x)
    if (this.waiting) return
    this.waiting = requestAnimationFrame(() => {
      this.waiting = undefined
      this.showState()
    })
  }

  showState() {
    const { rows, pools } = stateAt(this.lab, this.cursor)
    const clock = `${((this.lab.from + this.cursor) / 1000).toFixed(3)} s on the lab's clock`
    this.stateBox.replaceChildren(
      h('h4', {}, `State at ${this.moment(this.cursor)}`, h('small', {}, ` ${clock}${this.pinned ? ', pinned' : ''}`)),
      h(
        'div',
        { class: 'state-columns' },
        h(
          'dl',
          {},
          ...rows.map(({ name, value, bad }) => [h('dt', {}, name), h('dd', bad ? { class: 'bad' } : {}, value)]),
        ),
        h(
          'div',
          { class: 'pools' },
          ...pools.map(({ node, when, text }) => [
            h('p', {}, h('b', {}, `${node}# ipvsadm -Ln`), h('small', {}, ` ${when}`)),
            h('pre', { tabindex: 0 }, text),
          ]),
        ),
      ),
    )
    // what stands below must not jump while the cursor moves
    this.stateHeight = Math.max(this.stateHeight ?? 0, this.stateBox.offsetHeight)
    this.stateBox.style.minHeight = `${this.stateHeight}px`
  }

  showTip({ x, y }) {
    const lines = x < GUTTER ? undefined : this.linesAt(x, y)
    this.tip.hidden = !lines
    if (!lines) return
    this.tip.replaceChildren(
      ...lines.filter(Boolean).map((line, i) => h('div', i === 0 ? { class: 'first' } : {}, line)),
    )
    const right = x > this.width - 340
    this.tip.style.left = right ? '' : `${x + 14}px`
    this.tip.style.right = right ? `${this.width - x + 14}px` : ''
    this.tip.style.top = `${y + 16}px`
  }

  linesAt(x, y) {
    const t = this.t(x)
    for (const hit of this.hits) {
      if (y < hit.y0 || y > hit.y1) continue
      const lines = hit.at(x, t, y)
      if (lines) return lines
    }
    const mark = this.lab.marks.find(one => Math.abs(this.x(one.t) - x) < 4)
    return mark && y > this.top ? [this.moment(mark.t), this.lab.strings[mark.text]] : undefined
  }

  legend() {
    const item = (shape, text) =>
      h('span', { class: 'key' }, s('svg', { width: 18, height: 14, 'aria-hidden': 'true' }, shape), text)
    const outcomes = new Set(
      this.lab.requests.outcome.map((outcome, i) => (isFailed(this.lab, i) ? this.lab.strings[outcome] : undefined)),
    )
    outcomes.delete(undefined)
    const names = this.layout.lanes.filter(({ type }) => type === 'requests')
    return h(
      'div',
      { class: 'legend', 'aria-label': 'Legend' },
      ...names.map(lane =>
        item(s('path', { class: serverClass(lane.index), d: serverShape(lane.index, 9, 7, 4) }), lane.main),
      ),
      ...[...outcomes].map(outcome =>
        item(s('path', { class: 'failed', d: failureShape(outcome, 9, 7, 4) }), FAILURE_NAMES[outcome] ?? outcome),
      ),
      item(s('path', { class: 'advert', d: 'M9 1v12' }), 'advert'),
      item(s('path', { class: 'advert zero', d: 'M9 1v11M5 8l4 5l4 -5' }), 'advert with priority 0'),
      item(s('path', { class: 'garp', d: 'M9 1v12' }), 'gratuitous ARP'),
      item(s('rect', { class: 'bar pool server-none hollow', x: 1, y: 3, width: 16, height: 8 }), 'weight 0'),
      item(s('path', { class: 'mark', d: 'M9 0v14' }), 'step, probe'),
      item(s('rect', { class: 'band', x: 1, y: 1, width: 16, height: 12 }), 'fault'),
      item(s('path', { class: 'whisker server-none', d: 'M1 7H17' }), 'time to the answer or failure'),
      ...this.layout.notes.map(note => h('span', { class: 'note' }, `Note: ${note}.`)),
    )
  }
}
