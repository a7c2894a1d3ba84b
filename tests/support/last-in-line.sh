#!/bin/sh
# Runs $PROGRAM after all that has the usual priority, but not as if it were nothing.
exec nice -n 5 "$PROGRAM" "$@"
