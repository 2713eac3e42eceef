"""Mappings that other tools found for the common designs, and ours beside them under the same definitions."""
