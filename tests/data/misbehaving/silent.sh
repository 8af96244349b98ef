#!/bin/sh
# Ends at once, without a word, as if all were well.
exit 0
