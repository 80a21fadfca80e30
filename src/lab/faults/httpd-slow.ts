import { z } from 'zod'
import { defineFault } from './fault.ts'
import { configureHttpd, httpdRestored, restoreHttpd } from './httpd.ts'
import { kept, sh } from './shell.ts'

/**
 * Every request is answered late: a hook of httpd's own mod_lua waits before the answer begins. mod_lua has no wait, so it
 * starts sleep(1), which adds its own start.
 */
export const httpdSlow = defineFault({
  title: 'httpd answers slowly on NODE',
  roles: ['realserver'],
  params: z.strictObject({
    /** From the request to the beginning of the answer, at least; ms. */
    delayMs: z.number().int().min(1).max(600_000),
  }),
  example: { delayMs: 2000 },
  inject: target => {
    const hook = `function wait(r) os.execute("sleep ${target.params.delayMs / 1000}") return apache2.DECLINED end`
    const configuration = [
      '<IfModule !lua_module>',
      'LoadModule lua_module /usr/lib/apache2/modules/mod_lua.so',
      '</IfModule>',
      `LuaHookAccessChecker ${kept(target, 'lua')} wait early`,
    ].join('\n')
    return configureHttpd(target, configuration, sh`printf '%s\n' ${hook} >${kept(target, 'lua')}`)
  },
  heal: restoreHttpd,
  healed: httpdRestored,
})
