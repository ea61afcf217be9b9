"""The life of a request: which service, who calls, parse, validate, dispatch, serialise.

``app`` has it as one list of steps. No business rules: those are the operations' in ``api``. The
only room that knows botocore, whose models say what each operation looks like on the wire.
"""
