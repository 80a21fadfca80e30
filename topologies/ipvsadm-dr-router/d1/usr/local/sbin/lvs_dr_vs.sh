#!/bin/sh
# lvs_dr_vs.sh start|stop: makes this host the director of the VIP, or ends that.
vip=10.0.0.100

case $1 in
start)
  ip address add $vip/32 dev lo label lo:1
  ipvsadm -A -t $vip:80 -s wrr
  ipvsadm -a -t $vip:80 -r 192.168.137.131 -g -w 1
  ipvsadm -a -t $vip:80 -r 192.168.137.130 -g -w 1
  ;;
stop)
  ipvsadm -C
  ip address del $vip/32 dev lo
  ;;
*)
  echo "usage: ${0##*/} start|stop" >&2
  exit 1
  ;;
esac
