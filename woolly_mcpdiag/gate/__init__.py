"""The gate: criteria judged from the record of a run, with the evidence each verdict rests on."""
