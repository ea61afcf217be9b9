"""AWS wire protocols: one walk over botocore shapes each way, and a small codec for each.

``parse`` and ``serialize`` walk; ``json_codec``, ``cbor_codec``, ``form_codec`` and ``xml_codec``
say what a structure, a list, a map and a scalar look like in one notation; ``rest`` puts members
where HTTP has them; ``protocols`` composes all that into the protocols by their names.
"""
