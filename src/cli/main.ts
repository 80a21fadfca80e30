import { defineCommand, runMain } from 'citty'
import { VERSION } from './version.ts'

const main = defineCommand({
  meta: {
    name: 'lvslab',
    version: VERSION,
    description:
      'Verify LVS and keepalived configurations on a real kernel.\n\nExit codes: 0 all passed, 1 a check failed, 2 usage or configuration error, 3 inconclusive or environment, 130 interrupted.',
  },
  subCommands: {
    verify: () => import('./verbs/verify.ts').then(m => m.verifyCommand),
  },
})

await runMain(main)
