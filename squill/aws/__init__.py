"""What the function itself asks of AWS: secrets at its start, and more of itself where there is work for more."""
