/**
 * What keepalived 2.3.3 takes after a keyword: measured with `keepalived --config-test`, one keyword at a time (none, a word,
 * numbers, a switch), and read in the handlers of the files that `keywords.ts` names.
 */

const split = (text: string): Set<string> => new Set(text.trim().split(/\s+/))

/** Words that may stand alone; every other one needs a value. */
const BARE = split(`
  linkbeat_use_polling net_namespace_ipvs namespace_with_ipsets use_pid_dir process_names use_symlink_paths smtp_helo_name
  smtp_alert max_auto_priority smtp_alert_vrrp smtp_alert_checker checker_log_all_failures dynamic_interfaces no_email_faults
  v3_checksum_as_v2 lvs_flush lvs_flush_on_stop lvs_flush_onstop vrrp_min_garp vrrp_lower_prio_no_advert disable_local_igmp
  vrrp_higher_prio_send_advert nftables nftables_ifindex vrrp_check_unicast_src vrrp_skip_check_adv_addr vrrp_strict
  vrrp_no_swap nftables_ipvs nftables_counters vrrp_notify_priority_changes fifo_write_vrrp_states_on_reload checker_no_swap
  bfd_no_swap enable_traps enable_snmp_vrrp enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3
  enable_snmp_checker enable_dbus enable_script_security vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs_force
  process_monitor_rcv_bufs_force lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs_force rs_init_notifies
  no_checker_emails log_unknown_vrids vrrp_owner_ignore_adverts reload_check_config reload_repeat reload_file include_check
  data_use_instance use_vmac use_vmac_addr vmac_xmit_base use_ipvlan unicast_fault_no_peer check_unicast_src
  old_unicast_checksum native_ipv6 dont_track_primary track_src_ip no_virtual_ipaddress promote_secondaries accept no_accept
  skip_check_adv_addr strict_mode preempt nopreempt notify_deleted notify_priority_changes lower_prio_no_advert
  higher_prio_send_advert owner_ignore_adverts timer_expired_backup thread_timer_expired param_match full_command
  inhibit_on_failure hashed ops flag-1 flag-2 flag-3 sh-port sh-fallback mh-port mh-fallback persistence_timeout ha_suspend
  alpha omega sorry_server_inhibit log_all_failures enable_sni fast_recovery tls_compliant status_code regex_no_match
  regex_options regex_min_offset regex_max_offset regex_stack misc_path misc_dynamic require_reply passive multihop vrrp
  checker init_file init_fail global_tracking sync_group_tracking_weight garp_group SSL global_defs`)

/** Words that take nothing, or on, off, true, false, yes, no. */
const SWITCHES = split(`
  alpha checker_log_all_failures enable_sni fast_recovery higher_prio_send_advert inhibit_on_failure log_all_failures
  lower_prio_no_advert no_checker_emails notify_priority_changes rs_init_notifies skip_check_adv_addr smtp_alert
  smtp_alert_checker smtp_alert_vrrp strict_mode tls_compliant use_symlink_paths vrrp_higher_prio_send_advert
  vrrp_lower_prio_no_advert vrrp_min_garp vrrp_notify_priority_changes vrrp_owner_ignore_adverts vrrp_skip_check_adv_addr
  vrrp_strict vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs_force
  lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs_force data_use_instance multihop`)
/** The `inhibit_on_failure` of a service looks at no value. */
const PLAIN_SWITCHES = split('virtual_server/inhibit_on_failure virtual_server/alpha BFD_CHECK/alpha')

export interface Range {
  min: number
  max: number
  /** Decimals are taken: a time in seconds. */
  decimals?: true
}

const UINT = 4_294_967_295
const TIME = 4_294.967_295
const whole = (min: number, max: number): Range => ({ min, max })
const time = (min: number, max: number): Range => ({ min, max, decimals: true })

const each = (words: string, range: Range): [string, Range][] => [...split(words)].map(word => [word, range])

/** Ranges by word, or by `block/word` where a word means another thing elsewhere. */
const RANGES = new Map<string, Range>([
  ...each('priority virtual_router_id', whole(1, 255)),
  ...each('connect_port bind_port', whole(1, 65_535)),
  ...each('min_reply_length max_reply_length', whole(0, 65_535)),
  ...each('down_timer_adverts vrrp_down_timer_adverts', whole(1, 100)),
  ...each('persistence_timeout', whole(1, 2_678_400)),
  ...each('quorum', whole(1, UINT)),
  ...each('virtual_server/retry real_server/retry', whole(1, UINT)),
  ...each('retry nb_get_retry hysteresis', whole(0, UINT)),
  ...each('virtual_server/weight', whole(1, 2_147_483_647)),
  ...each('real_server/weight', whole(0, 2_147_483_647)),
  ...each('vrrp_script/weight', whole(-253, 253)),
  ...each('track_file/weight vrrp_track_file/weight vrrp_track_process/weight', whole(-254, 254)),
  ...each('rise fall', whole(1, 2_147_483_647)),
  ...each('vrrp_version version', whole(2, 3)),
  ...each('unicast_ttl', whole(0, 255)),
  ...each('vrrp_priority checker_priority bfd_priority', whole(-20, 19)),
  ...each('json_version', whole(1, 2)),
  ...each('vrrp_rt_priority checker_rt_priority bfd_rt_priority', whole(1, 99)),
  ...each('vrrp_rlimit_rttime checker_rlimit_rttime bfd_rlimit_rttime', whole(1, UINT)),
  ...each('vrrp_rlimit_rtime checker_rlimit_rtime bfd_rlimit_rtime', whole(1, UINT)),
  ...each('max_auto_priority', whole(-1, 99)),
  ...each('min_auto_priority_delay', whole(1, 10_000_000)),
  ...each('nftables_priority nftables_ipvs_priority', whole(-2_147_483_648, 2_147_483_647)),
  ...each('nftables_ipvs_start_fwmark vrrp_rx_bufs_multiplier', whole(1, UINT)),
  ...each('vrrp_netlink_cmd_rcv_bufs vrrp_netlink_monitor_rcv_bufs lvs_netlink_cmd_rcv_bufs', whole(0, UINT)),
  ...each('lvs_netlink_monitor_rcv_bufs process_monitor_rcv_bufs kernel_rx_buf_size fwmark', whole(0, UINT)),
  ...each('snmp_vs_stats_update_interval snmp_rs_stats_update_interval', time(0.001, 30)),
  ...each('quorum_max', whole(0, 65_535)),
  ...each('FILE_CHECK/weight bfd_instance/weight', whole(-253, 253)),
  ...each('multiplier ttl hoplimit', whole(1, 255)),
  ...each('max_hops', whole(-1, 255)),
  ...each('debug', whole(0, 4)),
  ...each('misc_timeout garp_master_delay garp_lower_prio_delay', whole(0, 4_294)),
  ...each('smtp_connect_timeout', whole(1, 4_294)),
  ...each('vrrp_garp_master_delay vrrp_garp_lower_prio_delay', whole(0, 4_294)),
  ...each('garp_master_repeat garp_master_refresh_repeat', whole(1, UINT)),
  ...each('vrrp_garp_master_repeat vrrp_garp_master_refresh_repeat', whole(1, UINT)),
  ...each('garp_master_refresh garp_lower_prio_repeat', whole(0, UINT)),
  ...each('vrrp_garp_master_refresh vrrp_garp_lower_prio_repeat', whole(0, UINT)),
  ...each('uthreshold lthreshold child_wait_time random_seed', whole(0, UINT)),
  ...each('startup_script_timeout shutdown_script_timeout', whole(1, 1000)),
  ...each('delay_loop', time(0.000_001, Infinity)),
  ...each('connect_timeout', time(0.000_001, TIME)),
  ...each('delay_before_retry warmup', time(0, Infinity)),
  ...each('interval timeout', time(0.000_001, 4_294)),
  ...each('advert_int', time(0.01, 255)),
  ...each('preempt_delay', time(0, 1000)),
  ...each('vrrp_startup_delay', time(0.001, TIME)),
  ...each('garp_interval gna_interval', time(0, TIME)),
  ...each('vrrp_garp_interval vrrp_gna_interval', time(0.000_001, TIME)),
  ...each('delay fork_delay terminate_delay', time(0.000_001, 3600)),
])

/** Words of which keepalived takes one behind a keyword, and no other. */
const CHOICES = new Map([
  ['ip_family', ['inet', 'inet6']],
  ['http_protocol', ['1.0', '1.0C', '1.0c', '1.1']],
  ['param_match', ['initial', 'partial']],
  ['dynamic_interfaces', ['allow_if_changes']],
  ['lvs_flush_on_stop', ['VS']],
  ['lvs_flush_onstop', ['VS']],
])

/** Words that keepalived still takes, and whose configuration test fails all the same, with what to write instead. */
const DEPRECATED = new Map([
  ['nb_get_retry', 'retry'],
  ['vrrp_vmac_garp_intvl', 'vrrp_garp_extra_if'],
  ['vmac_garp_intvl', 'garp_extra_if'],
  ['thread_timer_expired', 'timer_expired_backup'],
  ['lvs_sync_daemon_interface', 'lvs_sync_daemon in global_defs'],
  ['global_tracking', 'track_interface, track_script or track_file in the group'],
  ['vrrp_iptables', 'nftables'],
  ['vrrp_ipsets', 'nftables'],
  ['vrrp_instance/linkbeat_use_polling', 'linkbeat_interfaces'],
])

/** Words of which keepalived looks at as many as there should be, and at no more. */
const ONE_VALUE = split(
  'notification_email_from snmp_socket reload_time_file state_dump_file stats_dump_file json_dump_file',
)

/** A keyword in a block; the name of the block is `root` outside of all. */
export interface Place {
  block: string
  word: string
}

const lookUp = <T>(of: Map<string, T>, { block, word }: Place): T | undefined =>
  of.get(`${block}/${word}`) ?? of.get(word)

export const needsValue = ({ word }: Place): boolean => !BARE.has(word)
export const rangeOf = (place: Place): Range | undefined => lookUp(RANGES, place)
export const choicesOf = ({ word }: Place): readonly string[] | undefined => CHOICES.get(word)
export const insteadOf = (place: Place): string | undefined => lookUp(DEPRECATED, place)
export const isSwitch = ({ block, word }: Place): boolean =>
  SWITCHES.has(word) && !PLAIN_SWITCHES.has(`${block}/${word}`)
export const takesOne = ({ word }: Place): boolean => ONE_VALUE.has(word)

/** Whether keepalived reads a text as a number of a range (lib/parser.c read_int_func, read_decimal_unsigned_func). */
export const isInRange = (text: string, { min, max, decimals }: Range): boolean => {
  const pattern = decimals ? /^\d*\.?\d{0,6}$/ : min < 0 ? /^\s*[+-]?\d+$/ : /^\s*\+?\d+$/
  return pattern.test(text) && /\d/.test(text) && Number(text) >= min && Number(text) <= max
}
