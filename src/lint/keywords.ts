/**
 * Which words may stand in which block, as keepalived 2.3.3 installs them (`install_keyword` in core/global_parser.c,
 * vrrp/vrrp_parser.c, check/check_parser.c, check/check_*.c, bfd/bfd_parser.c, trackers/track_file.c).
 */
export interface Block {
  /** Words of one line. */
  words: string[]
  /** Words with a block of lines that are no keywords: addresses, names, routes. */
  lists: string[]
  /** Words with a block of keywords. */
  blocks: Record<string, Block>
}

/** The words of a text. */
export const split = (text: string): string[] => text.split(/\s+/).filter(word => word !== '')

const block = (words: string, lists = '', blocks: Record<string, Block> = {}): Block => ({
  words: split(words),
  lists: split(lists),
  blocks,
})

const NOTIFY = 'notify notify_master notify_backup notify_fault notify_stop'
const TRACKS = 'track_interface track_script track_file track_process track_bfd'
/** `install_checker_common_keywords` of check_api.c. */
const TIMING = 'retry delay_before_retry warmup delay_loop alpha log_all_failures'
const CONNECTION = 'connect_ip connect_port bindto bind_port bind_if connect_timeout fwmark'

const URL = 'path digest status_code virtualhost regex regex_no_match regex_options regex_min_offset regex_max_offset'
const web = (url: string): Block =>
  block(`${CONNECTION} ${TIMING} nb_get_retry virtualhost http_protocol enable_sni fast_recovery tls_compliant`, '', {
    url: block(`${URL} regex_stack ${url}`),
  })

const CHECKS: Record<string, Block> = {
  HTTP_GET: web(''),
  SSL_GET: web('tls_compliant'),
  TCP_CHECK: block(`${CONNECTION} ${TIMING}`),
  PING_CHECK: block(`${CONNECTION} ${TIMING}`),
  UDP_CHECK: block(`${CONNECTION} ${TIMING} payload require_reply min_reply_length max_reply_length`),
  DNS_CHECK: block(`${CONNECTION} ${TIMING} type name`),
  SMTP_CHECK: block(`${CONNECTION} ${TIMING} helo_name`, '', { host: block(`${CONNECTION} ${TIMING}`) }),
  MISC_CHECK: block(`${TIMING} misc_path misc_timeout misc_dynamic user`),
  BFD_CHECK: block('name alpha'),
  FILE_CHECK: block('track_file weight'),
}

const REAL_SERVER = block(
  `weight lvs_method uthreshold lthreshold inhibit_on_failure notify_up notify_down alpha retry delay_before_retry warmup
   connect_timeout delay_loop smtp_alert virtualhost snmp_name`,
  '',
  CHECKS,
)

const VIRTUAL_SERVER = block(
  `ip_family retry delay_before_retry warmup connect_timeout delay_loop inhibit_on_failure lb_algo lvs_sched hashed ops flag-1
   flag-2 flag-3 sh-port sh-fallback mh-port mh-fallback lb_kind lvs_method persistence_engine persistence_timeout
   persistence_granularity protocol ha_suspend smtp_alert virtualhost snmp_name alpha omega quorum_up quorum_down quorum
   hysteresis weight sorry_server sorry_server_inhibit sorry_server_lvs_method`,
  '',
  { real_server: REAL_SERVER },
)

const VRRP_INSTANCE = block(
  `use_vmac use_vmac_addr vmac_xmit_base use_ipvlan unicast_fault_no_peer check_unicast_src old_unicast_checksum native_ipv6
   state interface vrf dont_track_primary mcast_src_ip unicast_src_ip mcast_dst_ip track_src_ip virtual_router_id unicast_ttl
   version priority advert_int no_virtual_ipaddress promote_secondaries linkbeat_use_polling v3_checksum_as_v2 accept no_accept
   skip_check_adv_addr strict_mode preempt nopreempt preempt_delay debug ${NOTIFY} notify_deleted notify_master_rx_lower_pri
   smtp_alert notify_priority_changes lvs_sync_daemon_interface garp_master_delay garp_master_refresh garp_master_repeat
   garp_master_refresh_repeat garp_lower_prio_delay garp_lower_prio_repeat down_timer_adverts timer_expired_backup
   thread_timer_expired garp_extra_if vmac_garp_intvl lower_prio_no_advert higher_prio_send_advert owner_ignore_adverts
   kernel_rx_buf_size`,
  `unicast_peer ${TRACKS} virtual_ipaddress virtual_ipaddress_excluded virtual_routes virtual_rules`,
  { authentication: block('auth_type auth_pass') },
)

const GLOBAL_DEFS = block(
  `process_names process_name vrrp_process_name checker_process_name lvs_process_name bfd_process_name use_symlink_paths
   router_id notification_email_from smtp_server smtp_helo_name smtp_connect_timeout smtp_alert startup_script
   startup_script_timeout shutdown_script shutdown_script_timeout max_auto_priority min_auto_priority_delay smtp_alert_vrrp
   smtp_alert_checker checker_log_all_failures dynamic_interfaces no_email_faults default_interface disable_local_igmp
   v3_checksum_as_v2 lvs_timeouts lvs_flush lvs_flush_on_stop lvs_flush_onstop lvs_sync_daemon vrrp_mcast_group4
   vrrp_mcast_group6 vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat
   vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat vrrp_down_timer_adverts vrrp_garp_interval vrrp_gna_interval
   vrrp_min_garp vrrp_garp_extra_if vrrp_vmac_garp_intvl vrrp_lower_prio_no_advert vrrp_higher_prio_send_advert vrrp_version
   vrrp_iptables vrrp_ipsets nftables nftables_priority nftables_ifindex vrrp_check_unicast_src vrrp_skip_check_adv_addr
   vrrp_strict vrrp_priority vrrp_no_swap vrrp_rt_priority vrrp_cpu_affinity vrrp_rlimit_rttime vrrp_rlimit_rtime
   nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark nftables_counters notify_fifo notify_fifo_script
   vrrp_notify_fifo vrrp_notify_fifo_script vrrp_notify_priority_changes fifo_write_vrrp_states_on_reload lvs_notify_fifo
   lvs_notify_fifo_script checker_priority checker_no_swap checker_rt_priority checker_cpu_affinity checker_rlimit_rttime
   checker_rlimit_rtime bfd_priority bfd_no_swap bfd_rt_priority bfd_cpu_affinity bfd_rlimit_rttime bfd_rlimit_rtime
   snmp_socket enable_traps enable_snmp_vrrp enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3
   enable_snmp_checker snmp_vs_stats_update_interval snmp_rs_stats_update_interval enable_dbus dbus_service_name
   dbus_no_interface_name script_user enable_script_security vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force
   vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs process_monitor_rcv_bufs_force
   lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force
   rs_init_notifies no_checker_emails vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier vrrp_startup_delay log_unknown_vrids
   vrrp_owner_ignore_adverts vmac_prefix vmac_addr_prefix umask random_seed reload_check_config reload_time_file reload_repeat
   reload_file include_check config_save_dir tmp_config_directory data_use_instance json_version iproute_usr_dir
   iproute_etc_dir state_dump_file stats_dump_file json_dump_file`,
  'notification_email',
)

const TRACK_FILE = block('file weight init_file')

/** What may stand outside of every block. */
export const ROOT: Block = block(
  'net_namespace net_namespace_ipvs namespace_with_ipsets use_pid_dir instance child_wait_time linkbeat_use_polling',
  'static_ipaddress static_routes static_rules linkbeat_interfaces interface_up_down_delays virtual_server_group',
  {
    global_defs: GLOBAL_DEFS,
    vrrp_instance: VRRP_INSTANCE,
    vrrp_sync_group: block(
      `${NOTIFY} smtp_alert global_tracking sync_group_tracking_weight notify_priority_changes`,
      `group ${TRACKS}`,
    ),
    vrrp_script: block('script interval timeout weight rise fall user init_fail'),
    vrrp_track_process: block(
      'process param_match weight quorum quorum_max delay terminate_delay fork_delay full_command',
    ),
    track_file: TRACK_FILE,
    vrrp_track_file: TRACK_FILE,
    track_group: block('', 'group'),
    garp_group: block('garp_interval gna_interval interface', 'interfaces'),
    SSL: block('password ca certificate key'),
    virtual_server: VIRTUAL_SERVER,
    bfd_instance: block(
      `source_ip neighbor_ip neighbour_ip min_rx min_tx idle_tx multiplier passive ttl hoplimit max_hops multihop weight vrrp
       checker`,
    ),
  },
)

/** Words whose value is a command line (`install_keyword_quoted`): its quotes are read by rules of their own. */
export const COMMANDS = split(
  `${NOTIFY} notify_deleted notify_master_rx_lower_pri notify_up notify_down quorum_up quorum_down script misc_path
   startup_script shutdown_script notify_fifo_script vrrp_notify_fifo_script lvs_notify_fifo_script`,
)

/** Words that older versions knew, and what became of them. */
export const REMOVED: Record<string, string> = {
  nat_mask: 'take the line out: it was for kernels 2.2 alone',
}

/** Every word of a block. */
export const wordsOf = ({ words, lists, blocks }: Block): string[] => [...words, ...lists, ...Object.keys(blocks)]

/** The block that a word opens; undefined where it opens none, or one of lines that are no keywords. */
export const opens = (of: Block, word: string): Block | undefined =>
  Object.hasOwn(of.blocks, word) ? of.blocks[word] : undefined

/** Every block that knows a word, by the words that lead to it: `virtual_server`, `virtual_server > real_server`. */
export const homesOf = (word: string): { path: string[]; block: Block }[] => {
  const homes: { path: string[]; block: Block }[] = []
  const visit = (path: string[], one: Block): void => {
    if (wordsOf(one).includes(word)) homes.push({ path, block: one })
    for (const [name, inner] of Object.entries(one.blocks)) visit([...path, name], inner)
  }
  visit([], ROOT)
  return homes
}
