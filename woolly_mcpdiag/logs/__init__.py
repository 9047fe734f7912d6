"""From log text to events: inputs, framings, formats and the recognisers of what a line says."""
