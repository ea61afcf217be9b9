"""AWS wire protocols: one walk over botocore shapes and a small codec for each."""
