"""What bin/bench orderflow compares the binding with."""
