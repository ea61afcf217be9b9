"""The engine every loop runs on: a keyed queue, back-off, one reconcile at a time per key.

It knows nothing of what it reconciles. The model is controller-runtime's: a key carries identity
only, the reconciler looks at the world and says when to look again at the latest.
"""
