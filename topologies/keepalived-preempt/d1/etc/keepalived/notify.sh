#!/bin/sh
# Keeps what keepalived calls it with: master, backup or fault.
echo "$1" >>/var/log/notify.log
