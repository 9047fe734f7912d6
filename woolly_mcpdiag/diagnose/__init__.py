"""From events to causes: case file, session timelines, rules and hypotheses."""
