/** keepalived's `lvs_sched` and `lb_algo`, ldirectord's `scheduler =`, ipvsadm's `-s`; what is commented out stays out. */
const SCHEDULER =
  /^[^#!\n]*?(?:\b(?:lvs_sched|lb_algo)\s+|^\s*scheduler\s*=\s*|\s(?:-s|--scheduler)[\s=]+)"?([a-z]+)\b/gm

/**
 * The schedulers that configuration files name, sorted: each is a module of its own in the kernel. Read without the
 * grammar, so a name that stands behind a variable is not found; keepalived's log then tells that it was refused.
 *
 * @returns without the prefix: `rr`, `wrr`; `wlc`, keepalived's default, where a virtual server is and no scheduler
 */
export const schedulersIn = (texts: string[]): string[] => {
  const found = new Set<string>()
  for (const text of texts) {
    const named = [...text.matchAll(SCHEDULER)].map(match => match[1] ?? '')
    for (const name of named) found.add(name)
    if (named.length === 0 && /^\s*virtual_server\s/m.test(text)) found.add('wlc')
  }
  return [...found].sort()
}
