import { setFlagsFromString } from 'node:v8'

/**
 * From here on this process leaves V8's optimizing compilers off; what they have compiled by then stays. They would work anew in each
 * fork of a lab, while it measures, and an emulator has to translate first what they run: of 174,000 blocks that a fork with 150
 * requests had translated, 118,000 are left (`npm run bench -- forks`). Most forks are gone before they repay it.
 */
export const leaveOffCompiling = (): void => {
  for (const flag of ['--no-opt', '--no-maglev']) setFlagsFromString(flag)
}
