"""`make soak`: a service at work, hit by faults at random; not part of `make test`."""
