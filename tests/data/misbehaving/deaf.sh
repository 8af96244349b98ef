#!/bin/sh
# Says nothing, does not end when asked to, and leaves a child behind.
trap '' TERM
touch began.txt
sleep 300 &
while :; do sleep 0.2; done
