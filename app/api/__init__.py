"""The supervisor's side of the local API: JSON and server-sent events over an owner-only unix socket."""
