"""Pure rules over plain data: a value in, a reasoned value out. No I/O, no clock."""
