"""The caller's side of the local API. Light on purpose: it is on the path of every verb and of the first frame."""
