/**
 * Text from the lab with its control characters made visible (ESC becomes U+241B), so that a log line or a body can
 * neither steer a terminal nor break XML. Line feeds and tabs stay. Lone surrogates and the two non-characters become
 * U+FFFD.
 */
export const visible = (text: string): string => {
  let out = ''
  for (const character of text.toWellFormed()) {
    const code = character.codePointAt(0) as number
    if (code < 0x20 && code !== 0x09 && code !== 0x0a) out += String.fromCharCode(0x2400 + code)
    else if (code === 0x7f) out += '\u2421'
    else if ((code >= 0x80 && code < 0xa0) || code === 0xfffe || code === 0xffff) out += '\ufffd'
    else if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) out += '\ufffd'
    else out += character
  }
  return out
}

/** The same on one line. */
export const visibleLine = (text: string): string =>
  visible(text)
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim()
