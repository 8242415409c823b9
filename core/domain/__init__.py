"""What is true: states, routing, money, references. Standard library only, no I/O, no clock."""
