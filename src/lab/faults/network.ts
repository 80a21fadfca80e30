import { sh } from './shell.ts'

/**
 * Defines `network`, which prints the links, addresses and routes of a node, as /usr/lib/lvslab/network does, without the VMACs that
 * keepalived has made (RFC 5798 7.3): they come and go by its own rules, and so do the routes of their networks.
 */
export const NETWORK = sh`
  network() {
    vmacs=$(ip -o link show | sed -nE 's|^[0-9]+: ([^:@]+).* link/ether 00:00:5e:00:0[12]:.*| dev \1 \nlink \1 |p')
    [ -n "$vmacs" ] || vmacs='no VMAC'
    /usr/lib/lvslab/network | grep -vF "$vmacs"
  }`
