import manifest from '../../package.json' with { type: 'json' }

/** Version of lvslab, from package.json. */
export const VERSION: string = manifest.version
