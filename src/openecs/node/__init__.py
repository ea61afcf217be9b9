"""The container-agent role for one machine: turns tasks placed on it into containers and reports
what becomes of them. No placement, no policy.
"""
