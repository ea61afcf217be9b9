"""The nouns of OpenECS: frozen values, enums, identifiers and ARNs.

Nothing here reads a clock, rolls dice, does I/O or knows how AWS spells a member on the wire.
Every other room builds on this one.
"""
