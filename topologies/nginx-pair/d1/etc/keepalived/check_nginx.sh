#!/bin/bash
/usr/bin/killall -0 nginx
