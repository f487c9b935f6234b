"""Data: small sets with a known answer, the real digits, and how to deal them out."""
