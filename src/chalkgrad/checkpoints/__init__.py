"""Checkpoints: files that training goes on from, whole and verified, or refused."""
