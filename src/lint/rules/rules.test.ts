import { describe, expect, it } from 'vitest'
import {
  auth,
  findingsIn,
  group,
  instance,
  mark,
  placesOf,
  SECTION,
  SECURE,
  script,
  service,
  TABLE,
  TOPOLOGY,
  TRACKED,
  twoInstances,
} from '../testing.ts'
import { RULES } from './registry.ts'

/** Files that a rule finds something in, and where; beside them files that differ in what is right alone. */
interface Case {
  bad: Record<string, string>
  at: string[]
  good: Record<string, string>
}

const alone = (bad: string, at: string | string[], good: string): Case => ({
  bad: { 'a.conf': bad },
  at: [at].flat().map(place => `a.conf:${place}`),
  good: { 'a.conf': good },
})

/** Two directors whose configurations differ. */
const pair = (bad: [string, string], at: string, good: [string, string]): Case => ({
  bad: { 'a.conf': bad[0], 'b.conf': bad[1] },
  at: [at],
  good: { 'a.conf': good[0], 'b.conf': good[1] },
})

const DIRECTOR = 'd1/keepalived.conf'
const lower = { priority: 90 }
const six = service('', undefined, 'fd00::100 80').replace('10.0.0.11', 'fd00::11')
const OTHER_SERVER = '  real_server 10.0.0.12 80 {\n    weight 1\n    TCP_CHECK {\n    }\n  }'
const inTopology = (bad: string, at: string, good: string, more: Record<string, string> = {}): Case => {
  const file = 'd1/etc/keepalived/keepalived.conf'
  return {
    bad: { 'topology.yaml': TOPOLOGY, [file]: bad },
    at: [`${file}:${at}`],
    good: { 'topology.yaml': TOPOLOGY, [file]: good, ...more },
  }
}

const ldirectord = (bad: string, place: string, good = SECTION): Case => ({
  bad: { 'd1/ldirectord.cf': bad },
  at: [`d1/ldirectord.cf:${place}`],
  good: { 'd1/ldirectord.cf': good },
})
const ipvsadm = (bad: string, place: string): Case => ({
  bad: { 'd1/etc/ipvsadm.rules': bad },
  at: [`d1/etc/ipvsadm.rules:${place}`],
  good: { 'd1/etc/sysconfig/ipvsadm': TABLE },
})

/** A service behind DR, and what its real server is like in the topology. */
const realServer = (bad: string, good: string): Case => {
  const file = 'd1/etc/keepalived/keepalived.conf'
  const text = service().replace('NAT', 'DR')
  const withNode = (lines: string) => TOPOLOGY.replace('rs1: { role: realserver,', `rs1: { role: realserver, ${lines}`)
  return {
    bad: { 'topology.yaml': withNode(bad), [file]: text },
    at: [`${file}:6:3`],
    good: { 'topology.yaml': withNode(good), [file]: text },
  }
}

const CASES: Record<string, Case> = {
  'ipvsadm-ends': ipvsadm(`# saved\n${TABLE}`, '1:1'),
  'ipvsadm-refused': ipvsadm(TABLE + TABLE.split('\n')[1], '3:1'),
  'ldirectord-refused': ldirectord(`checktimeut=3\n${SECTION}`, '1:1'),
  'ldirectord-otherwise': ldirectord(`checkinterval=5 s\n${SECTION}`, '1:1', `checkinterval=5\n${SECTION}`),
  'quiescent-persistent': ldirectord(
    `quiescent=yes\n${SECTION}\tpersistent=50\n`,
    '2:1',
    `${SECTION}\tquiescent=yes\n\tpersistent=50\n`.replace('yes', 'no'),
  ),
  'servers-unchecked': ldirectord(`${SECTION}\tchecktype=on\n`, '1:1'),
  'checktype-off': ldirectord(`${SECTION}\tchecktype=off\n`, '1:1'),
  'checktype-connect': ldirectord(`${SECTION}\tchecktype=connect\n`, '1:1', `${SECTION}\tchecktype=ping\n`),
  'fallback-missing': ldirectord(SECTION.replace(/\tfallback.*\n/, ''), '1:1', `fallback=127.0.0.1:80\n${SECTION}`),
  'brace-unbalanced': alone('global_defs {\n', '1:13', 'global_defs {\n}\n'),
  'quote-open': alone(instance(' debug "1'), '8:8', instance(' debug "1"')),
  'not-text': alone('global_defs {\n  router_id a\0\n}\n', '2:14', 'global_defs {\n  router_id a\n}\n'),
  'blank-odd': alone(instance('  advert_int\u00a01'), '8:13', instance('  advert_int 1 # \u00a0')),
  'byte-order-mark': alone(`\ufeff${instance()}`, '1:1', instance()),
  'line-long': alone(`${instance()}# ${'x'.repeat(1100)}\n`, '10:1024', `${instance()}# ${'x'.repeat(1000)}\n`),
  'config-empty': alone('# nothing\n', '1:1', instance()),
  'include-outside': alone('include /etc/other.conf\n', '1:9', 'include other.part\n'),
  'include-loop': alone('include a.conf\n', '1:9', 'include b.part\n'),
  'include-nothing': alone('include b.part\n', '1:9', '# include b.part\n'),
  'include-conditional': alone('@a include b.part\n', '1:12', 'include b.part\n'),
  'condition-unmatched': alone(
    instance('  @lb1 nopreempt\n  @lb2 nopreempt'),
    '8:3',
    instance('  @a nopreempt\n  @lb2 nopreempt'),
  ),
  'keyword-joined': alone(instance().replace('interface eth0', 'interfaceeth0'), '2:3', instance()),
  'keyword-removed': alone(service('  nat_mask 255.255.255.0'), '5:3', service()),
  'keyword-misplaced': alone('real_server 10.0.0.11 80 {\n  weight 1\n}\n', '1:1', service()),
  'keyword-unknown': alone(instance('  advert_itn 1'), '8:3', instance('  advert_int 1')),
  'block-missing': alone('global_defs\n', '1:1', 'global_defs {\n}\n'),
  'block-unexpected': alone(instance('  advert_int 1 {\n  }'), '8:3', instance('  advert_int 1')),
  refused: alone(instance().replace('  interface eth0\n', ''), '1:1', instance()),
  'state-unknown': alone(instance('  state BAKCUP'), '8:3', instance('  state BACKUP')),
  'preempt-with-master': alone(instance('  state MASTER\n  nopreempt'), '9:3', instance('  state BACKUP\n  nopreempt')),
  'preempt-delay-useless': alone(instance('  nopreempt\n  preempt_delay 5'), '9:3', instance('  preempt_delay 5')),
  'auth-pass-long': alone(instance(auth('123456789')), '10:5', instance(auth('12345678'))),
  'auth-type-missing': alone(instance('  authentication {\n    auth_pass 1234\n  }'), '8:3', instance(auth('1234'))),
  'auth-ignored': alone(instance(`  version 3\n${auth('1234')}`), '9:3', instance(`  version 2\n${auth('1234')}`)),
  'priority-implied': alone(
    instance('  state MASTER').replace('  priority 100\n', ''),
    '1:1',
    instance('  state MASTER'),
  ),
  'strict-mode': alone(instance('  strict_mode\n  state MASTER'), '1:1', instance('  strict_mode\n  state BACKUP')),
  'advert-int-rounded': alone(instance('  advert_int 0.3'), '8:3', instance('  version 3\n  advert_int 0.3')),
  'persistence-zero': alone(service('  persistence_timeout 0'), '5:3', service('  persistence_timeout 50')),
  'scheduler-unknown': alone(service().replace('sched rr', 'sched rrr'), '3:3', service()),
  'scheduler-missing': alone(service().replace('  lvs_sched rr\n', ''), '1:1', service()),
  'method-unknown': alone(service().replace('method NAT', 'method nat'), '4:3', service()),
  'method-missing': alone(service().replace('  lvs_method NAT\n', ''), '1:1', service()),
  'protocol-missing': alone(service().replace('  protocol TCP\n', ''), '1:1', service()),
  'protocol-of-mark': alone(service('', undefined, 'fwmark 50'), '2:3', mark()),
  'port-not-rewritten': alone(
    service().replace('NAT', 'DR').replace('10.0.0.11 80', '10.0.0.11 8080'),
    '6:3',
    service().replace('10.0.0.11 80', '10.0.0.11 8080'),
  ),
  'port-of-mark': alone(mark(' 80').replace('NAT', 'DR'), '5:3', mark().replace('NAT', 'DR')),
  'check-no-port': alone(mark().replace('      connect_port 80\n', ''), '5:3', mark()),
  'service-empty': alone(
    'virtual_server 10.0.0.100 80 {\n  protocol TCP\n  lvs_sched rr\n  lvs_method NAT\n}\n',
    '1:1',
    service(),
  ),
  'quorum-too-high': alone(service('  quorum 5'), '5:3', service('  quorum 1')),
  'track-own-interface': alone(
    instance('  track_interface {\n    eth0\n  }'),
    '9:5',
    instance('  track_interface {\n    eth1\n  }'),
  ),
  'persistence-implied': alone(
    service('', undefined, '10.0.0.100 0'),
    '1:1',
    service('  persistence_timeout 50', undefined, '10.0.0.100 0'),
  ),
  'server-family': alone(service().replace('10.0.0.11', 'fd00::b'), '6:3', service()),
  'script-unknown': alone(
    instance('  track_script {\n    chk\n  }'),
    '9:5',
    `vrrp_script chk {\n  script /bin/true\n}\n${instance('  track_script {\n    chk\n  }')}`,
  ),
  'sorry-among-servers': alone(service('  sorry_server 10.0.0.11 80'), '5:3', service('  sorry_server 10.0.0.11 81')),
  'script-untracked': alone(
    script('/bin/true') + instance(),
    '5:1',
    script('/bin/true') + instance('  track_script {\n    chk\n  }'),
  ),
  'granularity-of-group': alone(
    `virtual_server_group G {\n  10.0.0.100 80\n}\n${service('  persistence_timeout 50\n  persistence_granularity 255.255.255.0', undefined, 'group G')}`,
    '9:3',
    service('  persistence_timeout 50\n  persistence_granularity 255.255.255.0'),
  ),
  'group-unknown': alone(
    service('', undefined, 'group none'),
    '1:1',
    `virtual_server_group none {\n  10.0.0.100 80\n}\n${service('', undefined, 'group none')}`,
  ),
  'script-empty': alone('vrrp_script chk {\n  interval 1\n}\n', '1:1', 'vrrp_script chk {\n  script /bin/true\n}\n'),
  'address-invalid': alone(service('', undefined, '10.0.0.300 80'), '1:1', service()),
  'stands-twice': alone(instance() + instance(), '10:1', instance()),
  'value-missing': alone('global_defs {\n  router_id\n}\n', '2:3', 'global_defs {\n  router_id a\n}\n'),
  'number-invalid': alone(
    `${instance().replace('priority 100', 'priority 300')}global_defs {
  lvs_sync_daemon eth0 VI_1 id 300 ttl 2 maxlen
  lvs_timeouts tcp 9x udp 10 tcpfin x
  vrrp_rt_priority 100
}
`,
    ['4:3', '11:32', '11:42', '12:3', '12:20', '13:3'],
    `${instance()}global_defs {
  lvs_sync_daemon eth0 VI_1 id 255 ttl 2 maxlen 1400
  lvs_timeouts tcp 9 udp 10 tcpfin 0
}
`,
  ),
  'switch-invalid': alone(instance('  smtp_alert maybe'), '8:3', instance('  smtp_alert off')),
  'choice-unknown': alone(
    `${service('  ip_family ipv4')}global_defs {\n  lvs_timeouts 900 60 300\n}\n`,
    ['5:3', '13:16'],
    `${service('  ip_family inet')}global_defs {\n  lvs_timeouts tcp 900 udp 300\n}\n`,
  ),
  'value-extra': alone(
    'global_defs {\n  notification_email_from a@b c\n}\n',
    '2:31',
    'global_defs {\n  notification_email_from a@b\n}\n',
  ),
  'name-unread': alone('-A -t director:80 -s rr\n', '1:4', '-A -t 10.0.0.100:http -s rr\n'),
  'owner-weight': alone(
    `${script('/bin/true')}${instance(TRACKED.replace('chk', 'chk weight 5')).replace('priority 100', 'priority 255')}`,
    '16:5',
    script('/bin/true') + instance(TRACKED).replace('priority 100', 'priority 255'),
  ),
  'track-empty': alone(
    'vrrp_track_process p {\n  weight 5\n}\ntrack_file f {\n}\n',
    ['1:1', '4:1'],
    'vrrp_track_process p {\n  process nginx\n}\ntrack_file f {\n  file /tmp/f\n}\n',
  ),
  'bfd-neighbour': alone(
    'bfd_instance a {\n}\nbfd_instance b {\n  neighbor_ip gw1\n}\nbfd_instance c {\n  neighbor_ip 10.0.0.1\n  source_ip fd00::1\n}\nbfd_instance d {\n  neighbor_ip fe80::1%eth0\n}\n',
    ['1:1', '4:15', '8:13', '11:15'],
    'bfd_instance b {\n  neighbour_ip 10.0.0.1\n  source_ip 10.0.0.2\n}\n',
  ),
  'name-unknown': alone(
    `${service('', 'FILE_CHECK {\n      track_file f\n    }')}track_file f {\n  file /tmp/f\n}\n`,
    '9:18',
    `track_file f {\n  file /tmp/f\n}\n${service('', 'FILE_CHECK {\n      track_file f\n    }')}`,
  ),
  'word-twice': alone(
    SECURE + instance('  notify_master /bin/a\n  notify_backup /bin/b\n  notify_master /bin/c'),
    '14:3',
    SECURE + instance('  notify_master /bin/a\n  notify_backup /bin/b'),
  ),
  'value-second': alone(
    instance(auth('abc def')).replace('priority 100', 'priority 100 // the higher') +
      service().replace('11 80', '11 80 weight 5'),
    ['4:16', '10:19', '18:28'],
    instance(auth('"abc def"')).replace('priority 100', 'priority 100 # the higher') + service(),
  ),
  'alert-unsent': alone(
    instance('  smtp_alert'),
    '8:3',
    `global_defs {\n  notification_email {\n    a@b\n  }\n}\n${instance('  smtp_alert')}`,
  ),
  'sync-instance-unknown': alone(
    `global_defs {\n  lvs_sync_daemon eth0 VI_2 id 3\n}\n${instance()}`,
    '2:24',
    `global_defs {\n  lvs_sync_daemon eth0 id 3 inst VI_1\n}\n${instance()}`,
  ),
  'option-useless': alone(
    instance('  timer_expired_backup\n  owner_ignore_adverts\n  vmac_xmit_base'),
    ['8:3', '9:3', '10:3'],
    instance('  timer_expired_backup\n  nopreempt\n  owner_ignore_adverts\n  use_vmac\n  vmac_xmit_base', {
      priority: 255,
    }),
  ),
  'unicast-vmac': alone(
    instance('  use_vmac\n  unicast_peer {\n    10.0.0.3\n  }'),
    '8:3',
    instance('  use_vmac\n  vmac_xmit_base\n  unicast_peer {\n    10.0.0.3\n  }'),
  ),
  'comment-in-value': alone(
    instance(auth('abc#def')) + script('/bin/true').replace('"/bin/true"', '/bin/a!b'),
    ['10:18', '18:16'],
    instance(auth('"abc#def"#quoted')) + script('/bin/a!b'),
  ),
  'keyword-deprecated': alone(
    service('', 'HTTP_GET {\n      url {\n        path /\n      }\n      nb_get_retry 1\n    }'),
    '12:7',
    service('', 'HTTP_GET {\n      url {\n        path /\n      }\n      retry 1\n    }'),
  ),
  'line-ignored': alone(service().replace('protocol TCP', 'protocol XTP'), '2:3', service()),
  'value-changed': alone(
    'vrrp_script chk {\n  script /bin/true\n  timeout 0\n}\n',
    '3:3',
    'vrrp_script chk {\n  script /bin/true\n  timeout 1\n}\n',
  ),
  'address-option': alone(
    instance('', {
      vip: '10.0.0.100/24 de eth0\n    10.0.0.101 label eth0:averyverylong\n    10.0.0.102/24 peer 10.0.0.1',
    }),
    ['6:19', '6:22', '7:22', '8:24'],
    instance('', { vip: '10.0.0.100/24 dev eth0 label eth0:1 no_track scope global' }),
  ),
  'route-invalid': alone(
    'static_routes {\n  10.9.0.0/16 vai 10.0.0.1 dev eth0\n  10.8.0.0/16 gw 10.0.0.1\n  10.7.0.0/16 src\n  via 10.0.0.1\n' +
      '  10.6.0.0/16 protocol static dev eth0\n  10.5.0.0/16 nexthop via 10.0.0.1 no_track\n  10.4.0.0/16 nexthop dev eth0 weight 257\n}\n' +
      instance('  virtual_routes {\n    10.3.0.0/16 dev eth0 track_group G\n  }'),
    ['2:15', '3:15', '4:15', '5:3', '6:24', '7:36', '8:39', '18:26', '18:38'],
    'static_routes {\n  10.9.0.0/16 via 10.0.0.1 dev eth0 metric 5\n  blackhole 10.8.0.0/16\n  default via 10.0.0.1\n' +
      '  10.7.0.0/16 no_track protocol static nexthop via inet 10.0.0.1 dev eth0 weight 256 nexthop dev eth1 onlink\n}\n',
  ),
  'rule-invalid': alone(
    'static_rules {\n  form 10.0.0.0/24 table 1 priority 1\n  from 10.0.0.0/24 priority 1\n  to 10.0.0.0/24 table\n  from any table 1 pref 5\n}\n' +
      instance('  virtual_rules {\n    table 5 track_group G priority 6\n    table 5 priority first\n  }'),
    ['2:3', '3:3', '4:18', '5:20', '15:13', '16:22'],
    'static_rules {\n  not from 10.0.0.0/24 fwmark 0x10/0xff iif eth0 lookup main preference 0x64 no_track track_group G\n  to 10.0.0.0/24 blackhole priority 5\n}\n',
  ),
  'rule-no-preference': alone(
    'static_rules {\n  from 10.0.0.0/24 table 1\n}\n',
    '2:3',
    'static_rules {\n  from 10.0.0.0/24 table 1 preference 100\n}\n',
  ),
  'list-empty': alone(
    'global_defs {\n  notification_email {\n  }\n}\n',
    '2:3',
    'global_defs {\n  notification_email {\n    a@b\n  }\n}\n',
  ),
  'mail-invalid': alone(
    'global_defs {\n  notification_email {\n    [email protected]\n    a@b\n  }\n  notification_email_from <a@b>\n}\n',
    ['3:5', '3:12', '6:27'],
    'global_defs {\n  notification_email {\n    root a@b\n  }\n  notification_email_from a@b\n}\n',
  ),
  'smtp-server-invalid': alone(
    'global_defs {\n  smtp_server 192.618.200.1\n  smtp_server 127.0.0.1:25\n}\n',
    ['2:15', '3:15'],
    'global_defs {\n  smtp_server mail.example.com 25\n}\n',
  ),
  'url-invalid': alone(
    service(
      '',
      'HTTP_GET {\n      url {\n        path /\n        path /b\n        status_code 20\n        digest 12\n        digest 12\n      }\n    }',
    ),
    ['11:9', '12:21', '13:9', '14:9', '14:9'],
    service('', 'HTTP_GET {\n      url {\n        path /\n        status_code 200-299\n      }\n    }'),
  ),
  'vip-missing': alone(instance().replace(/ {2}virtual_ipaddress[^}]*}\n/, ''), '1:1', instance()),
  'interface-alias': alone(
    instance().replace('eth0', 'eth0:1'),
    '2:3',
    instance('', { vip: '10.0.0.100/24 label eth0:1' }),
  ),
  'address-twice': alone(
    instance('  unicast_peer {\n    10.0.0.3\n    10.0.0.3/24\n  }', { vip: '10.0.0.100\n    10.0.0.100' }),
    ['7:5', '11:5'],
    instance('  unicast_peer {\n    10.0.0.3\n  }'),
  ),
  'vip-broadcast': alone(
    instance('', { vip: '10.253.100.111/28' }),
    '6:5',
    instance('', { vip: '10.253.100.111/24\n    10.253.100.3/31\n    10.253.100.255' }),
  ),
  'vip-network': alone(
    instance('', { vip: '10.253.100.96/28' }),
    '6:5',
    instance('', { vip: '10.253.100.96/24\n    10.253.100.2/31' }),
  ),
  'script-user-path': alone(
    script('killall -0 haproxy"\n  user "nobody') + instance(TRACKED),
    '6:10',
    script('/usr/bin/killall -0 haproxy"\n  user "nobody') + instance(TRACKED),
  ),
  'script-shell': alone(
    script('/usr/bin/pgrep haproxy || exit 1') + instance(TRACKED),
    '6:10',
    script('/usr/bin/pgrep haproxy') + instance(TRACKED),
  ),
  'script-words': alone(
    script('').replace('""', '/usr/bin/pgrep haproxy') + instance('  notify_master /usr/bin/true master'),
    ['6:25', '15:31'],
    script('/usr/bin/pgrep haproxy') + instance('  notify_master "/usr/bin/true master" root adm'),
  ),
  'vips-many': alone(
    instance('', { vip: Array.from({ length: 256 }, (_, n) => `10.0.1.${n}`).join('\n') }),
    '5:3',
    instance('', { vip: Array.from({ length: 255 }, (_, n) => `10.0.1.${n}`).join('\n') }),
  ),
  'ipvlan-no-address': alone(instance('  use_ipvlan ipvl0'), '8:3', instance('  use_ipvlan ipvl0 10.0.0.2/24')),
  'vrid-twice': alone(
    instance() + instance('', { name: 'VI_2', vip: '10.0.0.101' }),
    '12:3',
    instance() + instance('', { name: 'VI_2', vip: '10.0.0.101', vrid: 52 }),
  ),
  'unicast-no-peer': alone(
    instance('  unicast_src_ip 10.0.0.2') + instance('  unicast_ttl 5', { name: 'VI_2', vip: '10.0.0.101', vrid: 52 }),
    ['8:3', '17:3'],
    instance('  unicast_src_ip 10.0.0.2\n  unicast_peer {\n    10.0.0.3\n  }'),
  ),
  'ah-with-master': alone(
    instance(`  state MASTER\n${auth('1234', 'AH')}`),
    '8:3',
    instance(`  state MASTER\n${auth('1234')}`),
  ),
  'sync-group-weight': alone(
    `${group('VI_1', 'VI_2')}${script('/bin/true')}${tracking(-20)}`,
    '22:5',
    `${group('VI_1', 'VI_2')}${script('/bin/true')}${tracking(0)}`,
  ),
  'sync-group-twice': alone(
    group('VI_1', 'VI_2') + group('VI_1', 'VI_2').replace('G {', 'H {') + twoInstances(),
    ['9:5', '10:5'],
    group('VI_1', 'VI_2') + twoInstances(),
  ),
  'sync-group-small': alone(
    group('VI_1', 'VI_9') + twoInstances(),
    ['1:1', '4:5'],
    group('VI_1', 'VI_2') + twoInstances(),
  ),
  'auth-pass-differs': pair([instance(auth('1111')), instance(auth('2222'))], 'b.conf:10:5', [
    instance(auth('1111')),
    instance(auth('1111')),
  ]),
  'auth-type-differs': pair([instance(auth('1111')), instance()], 'b.conf:1:1', [instance(), instance()]),
  'advert-int-differs': pair([instance(), instance('  advert_int 2')], 'b.conf:8:3', [
    instance(),
    instance('  advert_int 1'),
  ]),
  'version-differs': pair([instance(), instance('  version 3')], 'b.conf:8:3', [instance(), instance('  version 2')]),
  'vips-differ': pair([instance(), instance('', { vip: '10.0.0.100\n    10.0.0.101' })], 'b.conf:5:3', [
    instance(),
    instance(),
  ]),
  'vrid-differs': pair([instance(), instance('', { vrid: 52 })], 'b.conf:3:3', [instance(), instance()]),
  'vrid-clash': pair([instance(), instance('', { name: 'OTHER', vip: '10.0.0.101' })], 'b.conf:3:3', [
    instance(),
    instance('', { name: 'OTHER', vip: '10.0.0.101', vrid: 52 }),
  ]),
  'multicast-differs': pair([instance(), instance('  mcast_dst_ip 224.0.0.50')], 'b.conf:8:3', [
    instance(),
    instance(),
  ]),
  'unicast-differs': pair([instance(), instance('  unicast_peer {\n    10.0.0.2\n  }')], 'b.conf:8:3', [
    instance(),
    instance(),
  ]),
  'priority-equal': pair([instance(), instance()], 'b.conf:4:3', [instance(), instance('', lower)]),
  'master-twice': pair([instance('  state MASTER'), instance('  state MASTER', lower)], 'b.conf:8:3', [
    instance('  state MASTER'),
    instance('  state BACKUP', lower),
  ]),
  'track-weight-small': pair([script('/bin/true') + tracked(-5), instance('', lower)], 'a.conf:16:5', [
    script('/bin/true') + tracked(-20),
    instance('', lower),
  ]),
  'unicast-peer-unmatched': pair([unicast(2, 9), unicast(3, 2)], 'a.conf:9:3', [unicast(2, 3), unicast(3, 2)]),
  'service-differs': pair(
    [instance() + service(), instance() + service().replace('sched rr', 'sched wrr')],
    'b.conf:12:3',
    [instance() + service(), instance() + service()],
  ),
  'vip-not-held': alone(instance() + service('', undefined, '10.0.0.101 80'), '10:1', instance() + service()),
  'sorry-unreachable': alone(
    service('  sorry_server 127.0.0.1 80'),
    '5:3',
    service('  sorry_server 127.0.0.1 80').replace('NAT', 'DR'),
  ),
  'mark-unset': inTopology(mark(), '1:1', mark(), {
    'd1/etc/iptables/rules.v4':
      '*mangle\n-A PREROUTING -d 10.0.0.100/32 -p tcp --dport 80 -j MARK --set-mark 0x32\nCOMMIT\n',
  }),
  'mark-unknown': {
    bad: { 'd1/etc/keepalived/keepalived.conf': mark() },
    at: ['d1/etc/keepalived/keepalived.conf:1:1'],
    good: { 'd1/etc/keepalived/keepalived.conf': mark(), 'd1/etc/iptables/rules.v4': '' },
  },
  'persistence-defeated': alone(
    service('  persistence_timeout 50') + service('  persistence_timeout 50', undefined, '10.0.0.100 443'),
    '16:3',
    service('  persistence_timeout 50') + service('', undefined, '10.0.0.100 443'),
  ),
  'ops-nat': alone(
    service('  ops').replace('TCP', 'UDP'),
    '5:3',
    service('  ops').replace('TCP', 'UDP').replace('NAT', 'DR'),
  ),
  'weight-zero': alone(service(OTHER_SERVER).replace('weight 1', 'weight 0'), '6:5', service(OTHER_SERVER)),
  'weights-all-zero': alone(service().replace('weight 1', 'weight 0'), '7:5', service()),
  'flag-useless': alone(service('  ops'), '5:3', service('  ops').replace('protocol TCP', 'protocol UDP')),
  'url-missing': alone(
    service('', 'HTTP_GET {\n    }'),
    '8:5',
    service('', 'HTTP_GET {\n      url {\n        path /\n      }\n    }'),
  ),
  'url-path': alone(
    service('', 'HTTP_GET {\n      url {\n        path health\n      }\n    }'),
    '10:14',
    service('', 'HTTP_GET {\n      url {\n        path /health\n      }\n    }'),
  ),
  'check-silence': alone(
    service('', 'UDP_CHECK {\n      payload 70696e67\n    }'),
    '8:5',
    service('', 'UDP_CHECK {\n      payload 70696e67\n      require_reply\n    }'),
  ),
  'check-port': alone(
    service('', 'HTTP_GET {\n      connect_port 443\n      url {\n        path /\n      }\n    }'),
    '8:5',
    service('', 'SSL_GET {\n      connect_port 443\n      url {\n        path /\n      }\n    }'),
  ),
  'server-on-loopback': alone(
    service().replace('10.0.0.11', '127.0.0.1'),
    '6:3',
    service().replace('10.0.0.11', '127.0.0.1').replace('NAT', 'DR'),
  ),
  'smtp-hosts': alone(
    service('', 'SMTP_CHECK {\n      host {\n      }\n      host {\n      }\n    }') +
      service('', 'SMTP_CHECK {\n      host {\n        connect_port 25\n      }\n    }', '10.0.0.100 25'),
    ['11:7', '24:7'],
    service('', 'SMTP_CHECK {\n      host {\n      }\n    }'),
  ),
  'method-option': alone(
    service().replace('method NAT', 'method NAT gue'),
    '4:18',
    service().replace('method NAT', 'method TUN type gue port 6080 nocsum'),
  ),
  'service-twice': alone(service() + service(), '12:1', service() + service('', undefined, '10.0.0.100 81')),
  'server-far': inTopology(
    instance() + service('', undefined, '10.0.0.100 80').replace('NAT', 'DR').replace('10.0.0.11', '10.0.1.11'),
    '15:3',
    instance() + service('', undefined, '10.0.0.100 80').replace('NAT', 'DR'),
  ),
  'server-without-vip': realServer('loopback: [10.0.0.101/32],', 'loopback: [10.0.0.100/32],'),
  'server-answers-arp': realServer(
    'loopback: [10.0.0.100/32], arp: { ignore: 1, announce: 1 },',
    'loopback: [10.0.0.100/32], arp: { ignore: 1, announce: 2 },',
  ),
  'server-schedules-again': alone(
    unicast(2, 11) + service(OTHER_SERVER).replace('NAT', 'DR'),
    '22:3',
    unicast(2, 11) + service(OTHER_SERVER),
  ),
  'asked-from-vip': alone(
    instance('', { vip: 'fd00::100/64' }) + six.replace('NAT', 'DR'),
    '17:5',
    instance('', { vip: 'fd00::100' }) + six.replace('NAT', 'DR'),
  ),
  'inhibit-keeps': alone(
    service('  persistence_timeout 50').replace('weight 1', 'inhibit_on_failure'),
    '6:3',
    service().replace('weight 1', 'inhibit_on_failure') +
      service('  persistence_timeout 50', undefined, '10.0.0.101 80'),
  ),
  'granularity-no-mask': alone(
    service('  persistence_timeout 50\n  persistence_granularity 24'),
    '6:27',
    service('  persistence_timeout 50\n  persistence_granularity 255.255.255.0') +
      six.replace('NAT', 'NAT\n  persistence_timeout 50\n  persistence_granularity 64'),
  ),
  'weights-unused': alone(
    service(OTHER_SERVER).replace('weight 1', 'weight 3'),
    '3:3',
    service(OTHER_SERVER).replace('weight 1', 'weight 3').replace('sched rr', 'sched wrr'),
  ),
  'check-missing': alone(service('', ''), '6:3', service()),
  'quorum-never-back': alone(
    service('  quorum 3\n  hysteresis 2').replace('weight 1', 'weight 4'),
    '6:3',
    service('  quorum 3\n  hysteresis 1').replace('weight 1', 'weight 4'),
  ),
  'strict-drops': alone(`global_defs {\n  vrrp_strict\n}\n${instance()}`, '2:3', instance()),
  'strict-unicast': alone(
    instance('  strict_mode\n  unicast_peer {\n    10.0.0.3\n  }'),
    '9:3',
    instance('  unicast_peer {\n    10.0.0.3\n  }'),
  ),
  'interface-unknown': inTopology(instance().replace('eth0', 'eth7'), '2:3', instance()),
  'init-fail-lost': alone(
    `${SECURE}vrrp_script chk {\n  script "/bin/true"\n  init_fail\n}\n${instance(TRACKED)}`,
    '7:3',
    `${SECURE}vrrp_script chk {\n  script "/bin/true"\n}\n${instance(TRACKED)}`,
  ),
  'script-quote': alone(
    script(String.raw`/usr/bin/sh -c \"pidof haproxy\"`) + instance(TRACKED),
    '6:10',
    script(String.raw`/usr/bin/sh -c 'echo \"a b\"' {\"a\":1}`) + instance(TRACKED),
  ),
  'script-reverse': alone(
    script('/usr/bin/true') + instance('  track_script {\n    chk weight -20 reverse\n  }'),
    '16:5',
    script('/usr/bin/true') + instance('  track_script {\n    chk weight -20 noreverse\n  }'),
  ),
  'track-script-unusable': {
    bad: { [DIRECTOR]: script('/etc/keepalived/check.run') + instance(TRACKED) },
    at: [`${DIRECTOR}:6:10`],
    good: { [DIRECTOR]: script('/etc/keepalived/check.run') + instance(TRACKED), 'd1/check.run': '#!/bin/sh\n' },
  },
  'script-unusable': {
    bad: {
      [DIRECTOR]: SECURE + instance('  notify_master "/etc/keepalived/notify.sh master"'),
      'd1/notify.sh': '#!/bin/sh\n',
    },
    at: [`${DIRECTOR}:12:17`],
    good: {
      [DIRECTOR]: SECURE + instance('  notify_master "/etc/keepalived/n.run master"'),
      'd1/n.run': '#!/bin/sh\n',
    },
  },
  'track-script-insecure': alone(
    script('/bin/sh -c true') + instance(TRACKED),
    '6:10',
    script('/usr/bin/sh -c true') + instance(TRACKED),
  ),
  'script-insecure': alone(SECURE + instance('  notify /sbin/n'), '12:10', SECURE + instance('  notify /usr/sbin/n')),
  'script-security': alone(instance('  notify /bin/true'), '8:3', SECURE + instance('  notify /bin/true')),
  'script-user': alone(
    SECURE.replace('  script_user root\n', '') + instance('  notify /usr/bin/true'),
    '11:3',
    SECURE.replace('  script_user root\n', '') + instance('  notify /usr/bin/true root'),
  ),
  'suppression-unused': alone(
    '# lvslab-disable-next-line vip-missing\nglobal_defs {\n}\n',
    '1:28',
    `# lvslab-disable-next-line vip-missing\n${instance().replace(/ {2}virtual_ipaddress[^}]*}\n/, '')}`,
  ),
}

function tracked(weight: number): string {
  return instance(`  track_script {\n    chk weight ${weight}\n  }`)
}
function tracking(weight: number): string {
  const plain = weight === 0 ? '' : ` weight ${weight}`
  return (
    instance(`  track_script {\n    chk${plain}\n  }`) + instance('', { name: 'VI_2', vip: '10.0.0.101', vrid: 52 })
  )
}
function unicast(own: number, peer: number): string {
  return instance(`  unicast_src_ip 10.0.0.${own}\n  unicast_peer {\n    10.0.0.${peer}\n  }`)
}

describe('rules', () => {
  for (const [code, { bad, at, good }] of Object.entries(CASES)) {
    it(`${code} is found at its place, and not where there is nothing wrong`, () => {
      expect(placesOf(findingsIn(bad), code)).toEqual(at.map(place => `${place} ${code}`))
      expect(placesOf(findingsIn(good), code)).toEqual([])
    })
  }

  it('are all tested, each once', () => {
    const elsewhere = ['detection-slow', 'encoding', 'reading-ended', 'unread', 'read-otherwise', 'file-executable']
    expect(RULES.map(rule => rule.code).filter(code => !elsewhere.includes(code) && !(code in CASES))).toEqual([])
    expect(new Set(RULES.map(rule => rule.code)).size).toBe(RULES.length)
  })
})
