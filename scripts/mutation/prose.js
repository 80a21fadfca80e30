/**
 * Stryker's plugin that leaves template literals alone: they are sentences for people, whose wording no test need repeat.
 */
export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'prose',
    value: { shouldIgnore: path => (path.isTemplateLiteral() ? 'a sentence for people' : undefined) },
  },
]
