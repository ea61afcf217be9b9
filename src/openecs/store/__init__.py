"""Where everything is remembered: versioned rows and a feed of their changes.

``base`` is the contract, ``kinds`` the catalogue of what is stored, ``memory`` and ``sql`` the
implementations, all behind one contract suite. No decision is taken here.
"""
