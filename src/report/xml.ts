import { visible } from './visible.ts'

type Attributes = Record<string, string | number | undefined>

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
}

/** Text for between tags. XML 1.0 has no way to write most control characters: they are made visible instead. */
export const escapeText = (text: string): string => visible(text).replaceAll(/[&<>]/g, c => ENTITIES[c] as string)

/** Text for between double quotes; line feeds and tabs are kept through the parser's normalization. */
export const escapeAttribute = (text: string): string =>
  visible(text).replaceAll(/[&<>"\n\t]/g, c => ENTITIES[c] as string)

/**
 * An element: its children are elements already written, or escaped text. Attributes that are undefined are left out.
 */
export const element = (name: string, attributes: Attributes, children: string | string[] = []): string => {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeAttribute(String(value))}"`)
    .join('')
  if (typeof children === 'string') return `<${name}${written}>${children}</${name}>`
  if (children.length === 0) return `<${name}${written}/>`
  const inner = children.map(child => (child.startsWith('<') ? indent(child) : child)).join('\n')
  return `<${name}${written}>\n${inner}\n</${name}>`
}

/** Indents tags only: a text of several lines must stay as it is, and never holds a `<`. */
const indent = (xml: string): string => xml.replaceAll(/^(?= *<)/gm, '  ')
