#!/bin/sh
# Runs $PROGRAM with the lowest priority.
exec nice -n 19 "$PROGRAM" "$@"
