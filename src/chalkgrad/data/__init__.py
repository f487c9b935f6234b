"""Data: known answers, the real digits, your own files, and how to deal them."""
