"""The texts of the cause catalogue, one module a family; read through ``core.causes``."""
