"""The control loops: one file per loop, each a story of read, decide, apply, wait.

No SQL, no engine, no arithmetic longer than a line: decisions are ``decide``'s.
"""
