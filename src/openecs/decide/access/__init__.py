"""May they? Policies of IAM, read and judged.

``documents`` reads a policy, ``evaluation`` judges a request by all that apply.
"""
