"""Services: how many tasks of which revision are to run, decided on values."""
