/**
 * The kind of promise that a check or a scenario tries, from its name: the words before what it is tried on, which begins with
 * something that is no plain word (an address, a number, a node with a number), or is behind `link` or `script`.
 *
 * `shares-10.0.0.100:80/TCP` -> `shares`, `failover-stop-10.0.0.100` -> `failover-stop`, `configuration-d1` -> `configuration`
 */
export const kindOf = (name: string): string =>
  (/^[a-z-]+-(?:link|script)(?=-)/.exec(name) ?? /^[a-z]+(?:-[a-z]+)*(?![^-])/.exec(name))?.[0] ?? name
