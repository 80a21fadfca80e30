// Every file here is joined into one scope by ../html.ts: names at the top of a file are unique over all of them.
// Text from the lab is untrusted: it becomes text nodes, never markup, and never an attribute that can load or run
// anything.

const SVG = 'http://www.w3.org/2000/svg'

const fill = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children.flat()) {
    if (child === undefined || child === null || child === '') continue
    element.append(child instanceof Node ? child : document.createTextNode(String(child)))
  }
  return element
}

export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children)

export const s = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children)

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value))

// index of the last item whose time is <= t; -1 where there is none
export const lastBefore = (items, t, timeOf) => {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (timeOf(items[middle]) <= t) low = middle + 1
    else high = middle
  }
  return low - 1
}

export const seconds = (ms, decimals = 3) => `${ms < 0 ? '\u2212' : '+'}${(Math.abs(ms) / 1000).toFixed(decimals)} s`

export const duration = ms => {
  if (ms >= 100) return `${(ms / 1000).toFixed(2)} s`
  return `${ms.toFixed(1)} ms`
}

export const shorten = (text, characters) =>
  text.length > characters ? `${text.slice(0, characters - 1)}\u2026` : text
